create table invoices_invoice (
    tenant blob not null,
    id blob not null,
    customer blob not null,
    status text not null check (status in ('draft', 'issued', 'paid', 'cancelled')),
    number integer,
    currency text not null,
    total_minor integer not null,
    created_at text not null,
    issued_at text,
    primary key (tenant, id),
    constraint invoices_invoice_number unique (tenant, number)
) strict, without rowid;

create index invoices_invoice_issued on invoices_invoice (tenant, issued_at) where issued_at is not null;

create table invoices_line (
    tenant blob not null,
    invoice blob not null,
    position integer not null,
    description text not null,
    quantity integer not null,
    unit_price_minor integer not null,
    primary key (tenant, invoice, position),
    foreign key (tenant, invoice) references invoices_invoice (tenant, id)
) strict, without rowid;

create table invoices_counter (
    tenant blob primary key,
    last_number integer not null
) strict, without rowid;
