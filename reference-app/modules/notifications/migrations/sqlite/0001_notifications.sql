create table notifications_sent_mail (
    tenant blob not null,
    job blob not null,
    invoice blob not null,
    recipient text not null,
    sent_at text not null,
    primary key (tenant, job)
) strict, without rowid;
