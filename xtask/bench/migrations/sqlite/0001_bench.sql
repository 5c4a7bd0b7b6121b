create table bench_order (
    id blob not null primary key,
    tenant blob not null,
    customer text not null,
    total_minor integer not null
) strict;
