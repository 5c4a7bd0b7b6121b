-- No unique constraint and no key: a second effect of a job must be able to happen, so that its absence means something.
create table chaos_effect (
    job text not null,
    process bigint not null
);
