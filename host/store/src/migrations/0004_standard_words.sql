-- Schema 3 to 4: the industry's words for tables, columns and stored words. Tables that get a column are made anew, so that
-- they are equal to those of a new database.

alter table clock rename column one to id;

alter table hot rename to schedule;
alter table schedule rename column failures to consecutive_failures;
drop index hot_wake;
drop index hot_bundle;
create index schedule_wake on schedule (wake_at) where wake_at is not null;
create index schedule_bundle on schedule (bundle);

alter table problem rename to plugin_failure;

alter table attempt rename column class to decline_class;
alter table attempt rename column at to changed_at;

alter table entry rename to ledger_entry;
drop index entry_account;
create index ledger_entry_account on ledger_entry (account);

alter table token rename to client_token;
alter table client_token rename column seen_at to used_at;

alter table api_token rename column hash to secret_hash;

alter table answered rename to idempotency_key;
alter table idempotency_key rename column token to api_token;
alter table idempotency_key rename column at to created_at;
alter table idempotency_key rename column status to response_status;
alter table idempotency_key rename column headers to response_headers;
alter table idempotency_key rename column body to response_body;
drop index answered_at;
create index idempotency_key_created on idempotency_key (created_at);

alter table audit rename column token to api_token;
alter table audit rename column name to token_name;
alter table audit rename column request to request_id;
update audit set outcome = 'dry_run' where outcome = 'looked_at';
update audit set outcome = 'pending_approval' where outcome = 'held';

alter table webhook rename column disabled_why to disabled_reason;
alter table webhook rename column cursor to event_cursor;
update webhook set disabled_reason = 'requested' where disabled_reason = 'asked';

alter table delivery rename column message to message_id;
alter table delivery rename column status to response_status;

alter table job rename column planned_by to from_dry_run;
alter table job rename column why to cancel_reason;
alter table job rename column total to item_count;
alter table job rename column next_place to next_position;
alter table job rename column token to api_token;
alter table job rename column name to token_name;
alter table job rename column request to request_id;

alter table job_item rename column place to position;
alter table job_item rename column planned to plan_hash;
alter table job_item rename column answer to outcome;
alter table job_item rename column at to finished_at;
update job_item set plan = replace(plan, '"left_out":', '"skipped":') where plan is not null;
alter table job_tally rename column answer to outcome;

alter table calendar rename column hash to secret_hash;
alter table calendar rename column stamp to fingerprint;
alter table calendar_entry rename column what to occurrence;

alter table provider_key rename column sealed to sealed_secret;
alter table provider_token rename column hash to token_hash;

alter table spent_proof rename to used_signature;
drop index spent_proof_valid;
create index used_signature_valid on used_signature (valid_until);

alter table decision rename to old_decision;
drop index decision_resource;
create table decision (
    row      integer primary key,
    at       integer not null,
    resource integer not null references resource,
    revision integer not null references revision,
    contract text not null,      -- the version of the provider contract in which both are written, such as `0.1`
    request  text not null,      -- JSON
    response text not null       -- JSON
);
create index decision_resource on decision (resource);
insert into decision (row, at, resource, revision, contract, request, response)
select row, at, resource, revision, '0.1', question, answer from old_decision;
drop table old_decision;

alter table approval rename to old_approval;
drop index approval_resource;
drop index approval_open;
drop index approval_lapse;
create table approval (
    row            integer primary key,
    id             text not null unique,
    account        integer not null references account,
    resource       integer not null references resource,  -- the resource that the command names
    state          text not null,    -- `pending`, `approved`, `rejected` or `expired`
    cause          text not null,
    command        text not null,    -- equal for equal commands
    contract       text not null,    -- the version of the provider contract in which request and response are written
    request        text not null,    -- the last plan request, JSON
    response       text not null,    -- the plan, JSON
    revision       text not null,    -- the digest of the plugin revision that planned
    plan_hash      text not null,    -- equal as long as the plan does the same for the same money
    cost           integer not null,
    available      integer not null, -- the account's available balance when the plan was priced
    attempt        integer references attempt,            -- null unless the plan is a renewal
    expires_before integer,          -- the resource's expiry when the approval was requested
    requested_at   integer not null,
    requested_by   text,             -- the id of the token or provider key; null for the clock
    expires_at     integer not null, -- when the approval expires if nobody decides
    closed_at      integer,          -- null while it is pending
    decided_by     text,             -- the token's id
    decision_reason text,            -- null when no reason was given
    expiry_reason  text              -- null unless it expired
);
create index approval_resource on approval (resource);
create index approval_pending on approval (account) where state = 'pending';
create index approval_expiry on approval (expires_at, row) where state = 'pending';
insert into approval (row, id, account, resource, state, cause, command, contract, request, response, revision, plan_hash,
    cost, available, attempt, expires_before, requested_at, requested_by, expires_at, closed_at, decided_by,
    decision_reason, expiry_reason)
select row, id, account, resource, case state when 'open' then 'pending' when 'lapsed' then 'expired' else state end, cause,
    command, '0.1', question, answer, revision, hash, cost, available, attempt, expires_before, asked_at, asked_by,
    lapses_at, closed_at, decided_by, reason, lapse
from old_approval;
drop table old_approval;

-- Events, filters and stored responses of the admin API have the words of approvals in JSON. A quoted name with a colon
-- behind it is a field: inside a text the quotes are escaped.
update event set body = replace(replace(body, '"asked_by":', '"requested_by":'), '"lapses_at":', '"expires_at":')
where type = 'approval_requested';
update event set body = replace(replace(body, '"by":', '"decided_by":'), '"asked_again":', '"will_retry":')
where type = 'approval_decided';
update event set type = 'approval_expired', body = replace(body, '"asked_again":', '"will_retry":')
where type = 'approval_lapsed';
update webhook set types = replace(types, '"approval_lapsed"', '"approval_expired"');
update job_item set outcome = 'pending_approval' where outcome = 'held';
update job_tally set outcome = 'pending_approval' where outcome = 'held';
update idempotency_key
set response_body = replace(replace(replace(replace(replace(replace(replace(response_body,
        '"asked_at":', '"requested_at":'), '"asked_by":', '"requested_by":'), '"lapses_at":', '"expires_at":'),
        '"lapse":', '"expiry_reason":'), '"state":"open"', '"state":"pending"'), '"state":"lapsed"', '"state":"expired"'),
        '"asked_again":', '"will_retry":')
where response_body like '%"approval"%';
update idempotency_key
set response_body = replace(replace(response_body, '"disabled_why":', '"disabled_reason":'), '"asked"', '"requested"')
where response_body like '%"disabled_why":%';
update idempotency_key
set response_body = replace(replace(replace(response_body, '"why":', '"cancel_reason":'), '"answers":', '"outcomes":'),
        '"held":', '"pending_approval":')
where response_body like '{"id":"job-%';
