create table reports_report (
    tenant blob not null,
    id blob not null,
    month text not null,
    status text not null check (status in ('queued', 'running', 'done', 'failed')),
    created_at text not null,
    primary key (tenant, id)
) strict, without rowid;
