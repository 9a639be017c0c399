-- Schema 4 to 5.

update job_item set outcome = 'applied' where outcome = 'carried_out';
update job_tally set outcome = 'applied' where outcome = 'carried_out';
