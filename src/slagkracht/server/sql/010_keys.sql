-- Keys by which other systems speak for an account. Whoever has the key finds its row; nobody else finds another's.

create function slagkracht.key_hash() returns text language sql stable
    return nullif(current_setting('slagkracht.key_hash', true), '');

create table slagkracht.access_key (
    key_id     text primary key,
    key_hash   text not null unique,
    world      slagkracht.world_name not null,
    region     text not null references slagkracht.region,
    account_id bigint not null,
    name       text not null,
    made_at    timestamptz not null default now(),
    until      timestamptz not null
);
alter table slagkracht.access_key enable row level security;
alter table slagkracht.access_key force row level security;
create policy with_the_key on slagkracht.access_key for select using (key_hash = slagkracht.key_hash());
create policy see_own on slagkracht.access_key for select
    using (world = slagkracht.world() and region = slagkracht.own());
create policy make_own on slagkracht.access_key for insert
    with check (world = slagkracht.world() and region = slagkracht.own() and account_id = slagkracht.account());
create policy end_own on slagkracht.access_key for update
    using (world = slagkracht.world() and region = slagkracht.own());
grant select, insert on slagkracht.access_key to slagkracht_app;
grant update (until) on slagkracht.access_key to slagkracht_app;
