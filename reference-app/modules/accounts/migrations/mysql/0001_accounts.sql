create table accounts_tenant (
    id binary(16) primary key,
    name text not null
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;

create table accounts_user (
    id binary(16) primary key,
    tenant binary(16) not null,
    email varchar(320) not null,
    password_hash text not null,
    role varchar(64) not null,
    constraint accounts_user_email unique (email),
    foreign key (tenant) references accounts_tenant (id)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
