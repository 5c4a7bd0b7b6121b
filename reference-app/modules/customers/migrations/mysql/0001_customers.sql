create table customers_customer (
    tenant binary(16) not null,
    id binary(16) not null,
    name text not null,
    email text not null,
    address text not null,
    search_text text not null,
    created_at datetime(6) not null,
    version bigint not null,
    primary key (tenant, id)
) engine = InnoDB default character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
