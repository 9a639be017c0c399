-- Schema 4 to 5.

update job_item set outcome = 'applied' where outcome = 'carried_out';
update job_tally set outcome = 'applied' where outcome = 'carried_out';

-- UIDs of calendar entries are unique in the world: RFC 5545, section 3.8.4.7.
alter table calendar add column uid text not null default '';
-- The hash of a random secret is random, too, and says nothing of the secret; a migration does the same each time.
update calendar set uid = lower(hex(substr(secret_hash, 1, 16)));

-- Which kind of clock ticked in a database of schema 4 is not known: the next one that ticks says.
alter table clock add column is_virtual integer;

-- The orders of a command, for when its client token comes again.
alter table client_token add column orders text not null default '[]';

-- Orders have a kind and a state, remember what they changed, and say what came back.
alter table orders rename to old_orders;
drop index orders_period;
drop index orders_refunded;
create table orders (
    row         integer primary key,
    id          text not null,
    resource    integer not null references resource,
    kind        integer not null,
    state       integer not null,
    starts_at   integer not null,
    ends_at     integer not null,
    cost        integer not null, -- negative: what a downgrade gave back
    created_at  integer not null,
    pay_until   integer,          -- null unless it waited to be paid
    paid_at     integer,          -- null unless it is paid
    command     text,             -- JSON, what is done once it is paid; null unless it waited to be paid
    command_resource integer references resource, -- the resource that the command names
    reduces     integer references orders,        -- of a downgrade: the period that the money came back for
    anchor_day_before    integer, -- what giving it back restores; null when it changed none
    renewals_left_before integer,
    ended_auto_renew     integer not null,
    refunded_at integer,
    refunded    integer           -- what came back; null unless it was refunded
);
create unique index orders_period
    on orders (resource, starts_at, case when kind <= 1 then '' else id || '/' || coalesce(reduces, '') end)
    where state = 1 and refunded_at is null;
create index orders_refunded on orders (resource) where refunded_at is not null;
create index orders_not_paid on orders (resource) where state <> 1;
create index orders_deadline on orders (pay_until, row) where state = 0;
insert into orders (row, id, resource, kind, state, starts_at, ends_at, cost, created_at, paid_at, ended_auto_renew,
    refunded_at, refunded)
select o.row, o.id, o.resource, o.is_renewal, 1, o.starts_at, o.ends_at, o.paid, o.paid_at, o.paid_at, 0, o.refunded_at,
    iif(o.refunded_at is null, null, (
        select coalesce(sum(e.amount), 0) from ledger_entry e
        where e.account = r.account and e.reason = 4 and e.resource = r.id and e.reference = o.id and e.at = o.refunded_at))
from old_orders o join resource r on r.row = o.resource;
drop table old_orders;
