-- Schema 16 to 17.

alter table plugin_revision add column granted text;
