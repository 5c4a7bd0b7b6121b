create table bench_order (
    id uuid not null primary key,
    tenant uuid not null,
    number bigint not null,
    customer text not null,
    total_minor bigint not null
);
-- No key: what happens twice must show.
create table bench_shipment (
    number bigint not null,
    started_after_us bigint not null
);
