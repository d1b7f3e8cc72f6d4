-- Where facts go out to, and what is still to be delivered. A subscription belongs to a region and carries what that
-- region may read; a delivery is kept until the receiver said that it has it.

create table slagkracht.subscription (
    subscription_id text primary key,
    world      slagkracht.world_name not null,
    region     text not null references slagkracht.region,
    sink       text not null,
    kinds      text[] not null default '{}',
    secret     text not null,
    made_at    timestamptz not null default now(),
    ended_at   timestamptz,
    place_tx   xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
    place_chain text not null default '',
    place_number bigint not null default 0
);
create table slagkracht.delivery (
    subscription_id text not null references slagkracht.subscription,
    world      slagkracht.world_name not null,
    region     text not null,
    chain      text not null,
    number     bigint not null,
    tries      integer not null default 0,
    next_at    timestamptz not null default now(),
    told_at    timestamptz,
    failed     text,
    primary key (subscription_id, chain, number)
);
create index on slagkracht.delivery (next_at) where told_at is null;

-- What came in from another system, once each: an event id of its own, or a message id.
create table slagkracht.received (
    world      slagkracht.world_name not null,
    region     text not null references slagkracht.region,
    channel    text not null,
    message_id text not null,
    content    text not null,
    result     text not null default '',
    at         timestamptz not null default now(),
    primary key (world, region, channel, message_id)
);

do $$
declare t text;
begin
    foreach t in array array['subscription', 'delivery', 'received']
    loop
        execute format('alter table slagkracht.%I enable row level security', t);
        execute format('alter table slagkracht.%I force row level security', t);
        execute format('create policy own_rows on slagkracht.%I using (world = slagkracht.world() and '
                       'region = slagkracht.own()) with check (world = slagkracht.world() and '
                       'region = slagkracht.own())', t);
        execute format('grant select, insert, update on slagkracht.%I to slagkracht_app', t);
    end loop;
end $$;
