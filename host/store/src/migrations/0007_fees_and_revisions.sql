-- Schema 6 to 7.

-- What was kept as a handling fee of what was refunded before is not known: null.
alter table orders add column refund_fee integer;

-- Which revision of a plugin the wakes are from is not known, so each one is asked anew once.
create table scheduling_revision (
    provider text primary key,
    digest   text not null
) without rowid;

-- Which request used a signature: another one with the same signature is not that one again.
alter table used_signature add column request blob;
