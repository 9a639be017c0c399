-- Schema 9 to 10.

-- Decisions say what they took, and new ones are packed. What is there stays as it is written.
create table decision_10 (
    row      integer primary key,
    at       integer not null,
    resource integer not null references resource,
    revision integer not null references revision,
    contract text not null,
    fuel     integer,
    request  blob not null,
    response blob not null
);
insert into decision_10 (row, at, resource, revision, contract, request, response)
select row, at, resource, revision, contract, request, response from decision;
drop table decision;
alter table decision_10 rename to decision;
create index decision_resource on decision (resource);
