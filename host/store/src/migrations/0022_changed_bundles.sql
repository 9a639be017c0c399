-- Schema 21 to 22.

alter table plugin_failure add column is_changed integer not null default 0;

alter table plugin_binding_change add column is_roll_back integer not null default 0;
-- What went back to what was before the change before it: nothing else said so.
update plugin_binding_change set is_roll_back = 1 where row in (
    select row from (
        select row, before, after, lag(before) over changes as before_last, lag(after) over changes as after_last
        from plugin_binding_change window changes as (partition by provider, accounts, mode order by row))
    where after is before_last and before is after_last);
