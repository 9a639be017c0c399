-- Schema 4 to 5.

update job_item set outcome = 'applied' where outcome = 'carried_out';
update job_tally set outcome = 'applied' where outcome = 'carried_out';

-- The orders of a command, for when its client token comes again.
alter table client_token add column orders text not null default '[]';
