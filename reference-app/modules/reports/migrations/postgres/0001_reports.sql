create table reports_report (
    tenant uuid not null,
    id uuid not null,
    month text not null,
    job uuid not null,
    created_at timestamptz not null,
    done_at timestamptz,
    primary key (tenant, id)
);
