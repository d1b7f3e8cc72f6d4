-- Where a unit is tells where its incident is: while it is away for one, its place and the facts about its place have the
-- class of that incident where that is higher than its own. Found by the database, whatever a program says.

create index on slagkracht.event (world, (body->>'unit'), happened_at) where kind = 'unit_status';
create policy kept_by_owner on slagkracht.unit_place to current_user using (true) with check (true);

-- The incidents that a unit was away for at a moment: by commitment, or by the last status that its region told of it.
create function slagkracht.incidents_of(in_world text, unit text, at timestamptz) returns text[] language sql stable
    security definer set search_path = slagkracht, pg_temp as $$
    select array_remove(array(
        select q.incident_id from slagkracht.commitment c join slagkracht.request_line l using (line_id)
            join slagkracht.request q using (request_id)
            where c.world = in_world and c.unit_id = unit and c.step <> 'unit_home'
        union
        select told.incident from (select e.body->>'incident' as incident from slagkracht.event e
            where e.world = in_world and e.kind = 'unit_status' and e.body->>'unit' = unit and e.happened_at <= at
            order by e.happened_at desc, e.number desc limit 1) told), null) $$;
revoke all on function slagkracht.incidents_of(text, text, timestamptz) from public;
grant execute on function slagkracht.incidents_of(text, text, timestamptz) to slagkracht_app;

create or replace function slagkracht.classify_event() returns trigger language plpgsql as $$
begin
    new.about := slagkracht.subjects_of(new.body);
    if new.body ?& array['unit', 'x_m'] then
        new.about := array(select distinct unnest(
            new.about || slagkracht.incidents_of(new.world, new.body->>'unit', new.happened_at)) order by 1);
    end if;
    new.information_class := case when new.about = '{}' then 'Intern'
        else slagkracht.class_of(new.world, new.about) end;
    return new;
end $$;

-- The units that are away for an incident above the class of whoever looks.
create function slagkracht.units_out_of_sight() returns setof text language sql stable
    security definer set search_path = slagkracht, pg_temp as $$
    with above as (select incident_id from slagkracht.incident
                   where world = slagkracht.world() and slagkracht.rank(information_class) > slagkracht.clearance())
    select c.unit_id from above join slagkracht.request q using (incident_id)
        join slagkracht.request_line l using (request_id) join slagkracht.commitment c using (line_id)
        where c.world = slagkracht.world() and c.step <> 'unit_home'
    union
    select sent.unit_id from (
        select distinct e.body->>'unit' as unit_id from above join slagkracht.event e
            on e.about @> array[above.incident_id] and e.about <> '{}'
            where e.world = slagkracht.world() and e.kind = 'unit_status') sent
        cross join lateral (select e.body->>'incident' as incident_id from slagkracht.event e
            where e.world = slagkracht.world() and e.kind = 'unit_status' and e.body->>'unit' = sent.unit_id
            order by e.happened_at desc, e.number desc limit 1) told
        join above using (incident_id) $$;
revoke all on function slagkracht.units_out_of_sight() from public;
grant execute on function slagkracht.units_out_of_sight() to slagkracht_app;

create policy up_to_class on slagkracht.unit_place as restrictive to slagkracht_app
    using ((select slagkracht.clearance()) = 4 or unit_id not in (select slagkracht.units_out_of_sight()))
    with check (true);

-- A region tells where its unit is, also where whoever tells it may not look; a place that comes late undoes no newer one.
create function slagkracht.place_unit(unit text, to_x_m double precision, to_y_m double precision, at timestamptz)
    returns void language sql volatile security definer set search_path = slagkracht, pg_temp as $$
    insert into slagkracht.unit_place (world, unit_id, region, x_m, y_m, place_at)
        values (slagkracht.world(), unit, slagkracht.own(), to_x_m, to_y_m, at)
        on conflict (world, unit_id) do update
        set x_m = excluded.x_m, y_m = excluded.y_m, place_at = excluded.place_at
        where unit_place.region = slagkracht.own() and unit_place.place_at <= excluded.place_at $$;
revoke all on function slagkracht.place_unit(text, double precision, double precision, timestamptz) from public;
grant execute on function slagkracht.place_unit(text, double precision, double precision, timestamptz)
    to slagkracht_app;
