create table customers_customer (
    tenant uuid not null,
    id uuid not null,
    name text not null,
    email text not null,
    address text not null,
    search_text text not null,
    created_at timestamptz not null,
    version bigint not null,
    primary key (tenant, id)
);
