create table bench_order (
    id uuid not null primary key,
    tenant uuid not null,
    customer text not null,
    total_minor bigint not null
);
