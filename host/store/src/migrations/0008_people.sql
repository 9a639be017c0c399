-- Schema 7 to 8.

-- A token belongs to a person: whoever holds the token that made it, back to one that was made on the command line.
alter table api_token add column owner text not null default '';
with recursive owned(id, owner) as (
    select id, id from api_token where created_by not in (select id from api_token)
    union all
    select t.id, owned.owner from api_token t join owned on t.created_by = owned.id
)
update api_token set owner = coalesce((select owner from owned where owned.id = api_token.id), id);

-- A raise of `approval_above` that waits for a second person.
alter table account add column raise_to text;
alter table account add column raise_by text;
alter table account add column raise_at integer;

-- Ids of unknown resources are counted beyond the first ones.
alter table job add column unknown_ids integer not null default 0;
