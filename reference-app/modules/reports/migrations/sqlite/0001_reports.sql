create table reports_report (
    tenant blob not null,
    id blob not null,
    month text not null,
    job blob not null,
    created_at text not null,
    done_at text,
    primary key (tenant, id)
) strict, without rowid;
