create table invoices_invoice (
    tenant binary(16) not null,
    id binary(16) not null,
    customer binary(16) not null,
    status varchar(16) not null check (status in ('draft', 'issued', 'paid', 'cancelled')),
    number bigint,
    currency varchar(16) not null,
    total_minor bigint not null,
    created_at datetime(6) not null,
    issued_at datetime(6),
    primary key (tenant, id),
    constraint invoices_invoice_number unique (tenant, number),
    key invoices_invoice_issued (tenant, issued_at)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

create table invoices_line (
    tenant binary(16) not null,
    invoice binary(16) not null,
    position integer not null,
    description text not null,
    quantity bigint not null,
    unit_price_minor bigint not null,
    primary key (tenant, invoice, position),
    foreign key (tenant, invoice) references invoices_invoice (tenant, id)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

create table invoices_counter (
    tenant binary(16) primary key,
    last_number bigint not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
