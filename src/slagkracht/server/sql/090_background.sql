-- What is done in the background, once, whichever of several servers does it.

-- Which subscriptions may have something to deliver now: their names, and nothing of what they carry. One that waits after
-- a failure is not named until its wait is over, unless the log went on.
create policy kept_by_owner on slagkracht.subscription to current_user using (true) with check (true);
create policy kept_by_owner on slagkracht.delivery to current_user using (true) with check (true);

create function slagkracht.due_subscriptions() returns table (world text, region text, subscription_id text)
    language sql stable security definer set search_path = slagkracht, pg_temp as $$
    select s.world::text, s.region, s.subscription_id from slagkracht.subscription s
    where s.ended_at is null and (
        exists (select 1 from slagkracht.event e where e.world = s.world
                and (e.tx, e.chain, e.number) > (s.place_tx, s.place_chain, s.place_number)
                and e.tx < pg_snapshot_xmin(pg_current_snapshot()))
        or (exists (select 1 from slagkracht.delivery d where d.subscription_id = s.subscription_id and d.told_at is null)
            and not exists (select 1 from slagkracht.delivery d where d.subscription_id = s.subscription_id
                            and d.told_at is null and d.next_at > clock_timestamp())))
    order by s.made_at $$;
revoke all on function slagkracht.due_subscriptions() from public;
grant execute on function slagkracht.due_subscriptions() to slagkracht_app;

-- The national gap of a plan: asked once, computed once, read by every server. It follows from the plan alone, on which
-- both worlds stand; nothing of a region, an exercise or a deployment goes into it.
create table slagkracht.shortfall (
    figure   text primary key,
    asked_at timestamptz not null default now(),
    found_at timestamptz,
    content  text
);
alter table slagkracht.shortfall enable row level security;
alter table slagkracht.shortfall force row level security;
create policy who_acts on slagkracht.shortfall
    using (slagkracht.own() is not null and slagkracht.world() is not null)
    with check (slagkracht.own() is not null and slagkracht.world() is not null);
grant select, insert, update on slagkracht.shortfall to slagkracht_app;
