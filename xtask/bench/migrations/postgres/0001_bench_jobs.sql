create table bench_order (
    id uuid not null primary key,
    note text
);
