-- Schema 4 to 5.

update job_item set outcome = 'applied' where outcome = 'carried_out';
update job_tally set outcome = 'applied' where outcome = 'carried_out';

-- Which kind of clock ticked in a database of schema 4 is not known: the next one that ticks says.
alter table clock add column is_virtual integer;
