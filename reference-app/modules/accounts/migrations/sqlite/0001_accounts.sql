create table accounts_tenant (
    id blob primary key,
    name text not null
) strict, without rowid;

create table accounts_user (
    id blob primary key,
    tenant blob not null references accounts_tenant (id),
    email text not null,
    password_hash text not null,
    role text not null,
    constraint accounts_user_email unique (email)
) strict, without rowid;
