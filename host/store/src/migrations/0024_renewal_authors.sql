-- Schema 23 to 24.

create table renewal_author (
    resource integer not null references resource,
    setting  text not null,
    author   text not null,
    primary key (resource, setting)
) without rowid;
