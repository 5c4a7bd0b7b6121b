create table reports_report (
    tenant uuid not null,
    id uuid not null,
    month text not null,
    status text not null check (status in ('queued', 'running', 'done', 'failed')),
    created_at timestamptz not null,
    primary key (tenant, id)
);
