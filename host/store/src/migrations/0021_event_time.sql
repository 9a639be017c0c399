-- Schema 20 to 21.

create index event_time on event (at);
