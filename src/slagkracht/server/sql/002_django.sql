-- Accounts, sessions and lock-outs are Django's own tables; the application may use them, not change their form.

create schema django;
grant usage on schema django to slagkracht_app;
alter default privileges in schema django grant select, insert, update, delete on tables to slagkracht_app;
alter default privileges in schema django grant usage, select on sequences to slagkracht_app;
