-- Schema 5 to 6.

-- What may be spent in a month of the provider's, for policies.
alter table account add column budget integer;

-- The policies that require an approval, each with its label and its words: a JSON list.
alter table approval add column required text not null default '[]';

-- Renewals that a policy put off.
create table deferral (
    resource       integer primary key references resource,
    account        integer not null references account,
    expires_before integer,
    until          integer not null,
    policy         text not null,
    reason         text not null
);
create index deferral_account on deferral (account);
