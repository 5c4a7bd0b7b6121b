create table invoices_invoice (
    tenant uuid not null,
    id uuid not null,
    customer uuid not null,
    status text not null check (status in ('draft', 'issued', 'paid', 'cancelled')),
    number bigint,
    currency text not null,
    total_minor bigint not null,
    created_at timestamptz not null,
    issued_at timestamptz,
    primary key (tenant, id),
    constraint invoices_invoice_number unique (tenant, number)
);

create index invoices_invoice_issued on invoices_invoice (tenant, issued_at) where issued_at is not null;

create table invoices_line (
    tenant uuid not null,
    invoice uuid not null,
    position integer not null,
    description text not null,
    quantity bigint not null,
    unit_price_minor bigint not null,
    primary key (tenant, invoice, position),
    foreign key (tenant, invoice) references invoices_invoice (tenant, id)
);

create table invoices_counter (
    tenant uuid primary key,
    last_number bigint not null
);
