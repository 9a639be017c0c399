-- Schema 14 to 15.

-- Where people are told of events: addresses of e-mail, or the robot of a group.
create table channel (
    row             integer primary key,
    id              text not null unique,
    kind            text not null,    -- `email`, `dingtalk`, `wecom`, `feishu` or `slack`
    description     text not null,
    address         text not null,    -- what is shown of it: the addresses of e-mail, or the host of the URL
    readers         text not null,    -- JSON list of addresses of e-mail; empty for a robot
    credentials     blob,             -- the URL and the secret of a robot, as `channels::credentials` stores them
    language        text not null,    -- the tag of a language
    time_zone       text not null,    -- the zone of the readers
    accounts        text,             -- JSON list of account ids; null is all of them, and the host
    types           text,             -- JSON list of event types; null is all of them
    severity        text not null,    -- the least severity that is sent
    digest_at       integer,          -- minutes after midnight of the zone; null sends at once
    quiet_from      integer,          -- minutes after midnight from which nothing is sent ...
    quiet_until     integer,          -- ... and until which; null without quiet hours
    critical_at_once integer not null, -- whether what is critical waits for neither
    created_at      integer not null,
    created_by      text not null,    -- the token's id
    disabled_at     integer,          -- null while it is enabled
    failing_since   integer,          -- the first of the tries that failed in a row; null after one that succeeded
    alarmed_at      integer,          -- when other channels were told that it fails; null after a try that succeeded
    event_cursor    integer not null, -- every event up to this row is in a message, or passes no filter
    critical_cursor integer not null, -- every critical event up to this row is in a message
    composed_at     integer not null  -- when what is not sent at once was last put into a message
);

-- A message to one reader of a channel, and what became of it.
create table channel_delivery (
    row             integer primary key,
    channel         integer not null references channel,
    message_id      text not null unique,
    reader          text not null,    -- an address of e-mail; empty for the group of a robot
    event_count     integer not null, -- how many events it reports; 0 for a test and for an alarm
    title           text not null,
    body            text not null,
    state           text not null,    -- `pending`, `sending`, `delivered`, `failed` or `in_doubt`
    attempts        integer not null,
    created_at      integer not null,
    tried_at        integer,
    response_status integer,          -- the status of the last response, of HTTP or of SMTP; null without one
    error           text,             -- why the last try failed
    next_try_at     integer           -- null unless it is pending
);
create index channel_delivery_of on channel_delivery (channel, row);
create index channel_delivery_due on channel_delivery (channel, next_try_at) where state = 'pending';
create index channel_delivery_sending on channel_delivery (row) where state = 'sending';
create index channel_delivery_settled on channel_delivery (tried_at) where state not in ('pending', 'sending');

-- Warnings about resources that somebody has seen to, or has put aside until an instant.
create table acknowledgement (
    resource        integer primary key references resource,
    stage           integer not null, -- that of the resource then: at another one it counts no more
    expires_at      integer,          -- the expiry of the resource then: with another one it counts no more
    until           integer,          -- from this instant on it counts no more; null leaves that to the resource
    acknowledged_by text not null,    -- the token's id
    acknowledged_at integer not null,
    reason          text
);
