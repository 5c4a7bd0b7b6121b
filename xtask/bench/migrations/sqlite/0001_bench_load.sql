create table bench_order (
    id blob not null primary key,
    tenant blob not null,
    number integer not null,
    customer text not null,
    total_minor integer not null
) strict;
-- No key: what happens twice must show.
create table bench_shipment (
    number integer not null,
    started_after_us integer not null
) strict;
