create table notifications_sent_mail (
    tenant uuid not null,
    job uuid not null,
    invoice uuid not null,
    recipient text not null,
    sent_at timestamptz not null,
    primary key (tenant, job)
);
