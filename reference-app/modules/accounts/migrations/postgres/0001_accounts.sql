create table accounts_tenant (
    id uuid primary key,
    name text not null
);

create table accounts_user (
    id uuid primary key,
    tenant uuid not null references accounts_tenant (id),
    email text not null,
    password_hash text not null,
    role text not null,
    constraint accounts_user_email unique (email)
);
