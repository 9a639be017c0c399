-- Schema 10 to 11.

-- Which command gave a period back was not written down: what was given back at one instant counts as given back by one.
alter table orders add column refund_number integer;
update orders set refund_number = 1 where refunded_at is not null;
