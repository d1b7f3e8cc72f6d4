-- Variants of the plan that a region keeps: the same text that the command line reads.

create table slagkracht.variant (
    variant_id text primary key,
    world      slagkracht.world_name not null,
    region     text not null references slagkracht.region,
    name       text not null,
    content    text not null,
    plan_hash  text not null,
    made_by    text not null,
    made_at    timestamptz not null
);
alter table slagkracht.variant enable row level security;
alter table slagkracht.variant force row level security;
create policy see_own on slagkracht.variant for select
    using (world = slagkracht.world() and region = slagkracht.own());
create policy add_own on slagkracht.variant for insert
    with check (world = slagkracht.world() and region = slagkracht.own());
grant select, insert on slagkracht.variant to slagkracht_app;
