-- Relief: which wave of an incident a line asks for (0 = who comes first) and whose lines it relieves, and the rotations
-- as they were worked out. A rotation is advice: what is asked stands in lines, and whoever lends decides.

alter table slagkracht.request_line add column wave integer not null default 0 check (wave >= 0);
alter table slagkracht.request_line add column relieves text[] not null default '{}';

create table slagkracht.rotation (
    rotation_id text primary key,
    world       slagkracht.world_name not null,
    region      text not null references slagkracht.region,
    audience    text[] not null,
    incident_id text not null references slagkracht.incident,
    plan_hash   text not null,
    content     jsonb not null,
    made_by     text not null,
    made_at     timestamptz not null
);
create index on slagkracht.rotation (incident_id, made_at);
alter table slagkracht.rotation enable row level security;
alter table slagkracht.rotation force row level security;
create policy see on slagkracht.rotation for select using (
    world = slagkracht.world() and (region = slagkracht.own() or slagkracht.own() = any (audience)));
create policy add_own on slagkracht.rotation for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
grant select, insert on slagkracht.rotation to slagkracht_app;

-- A place in a stream never lies beyond the last fact on disk: whoever subscribes says where it begins.
alter table slagkracht.subscription alter column place_tx drop default;
