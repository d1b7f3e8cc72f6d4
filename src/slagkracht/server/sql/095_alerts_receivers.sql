-- The moments at which what a warning says of an incident was recorded, oldest first, for whoever may see that incident: also
-- when it was let see later than the first of them. None for anyone else.

create function slagkracht.alerts_of(which text) returns timestamptz[] language sql stable security definer
    set search_path = slagkracht, pg_temp as $$
    select array_agg(e.recorded_at order by e.number) from slagkracht.incident i
    join slagkracht.event e on e.world = i.world and e.chain = i.region and e.about @> array[i.incident_id]
        and e.kind in ('incident_opened', 'incident_escalated', 'incident_closed', 'classified')
    where i.incident_id = which and i.world = slagkracht.world()
        and slagkracht.rank(i.information_class) <= slagkracht.clearance()
        and (i.region = slagkracht.own() or slagkracht.own() = any (i.audience)
             or slagkracht.shares(i.region, 'volledig')) $$;
revoke all on function slagkracht.alerts_of(text) from public;
grant execute on function slagkracht.alerts_of(text) to slagkracht_app;

-- A receiver that says that it is gone ends the subscription itself; its region goes on seeing that.
alter table slagkracht.subscription add column gone boolean not null default false;
grant update (gone) on slagkracht.subscription to slagkracht_app;
