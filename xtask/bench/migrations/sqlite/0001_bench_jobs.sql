create table bench_order (
    id blob not null primary key,
    note text
) strict;
