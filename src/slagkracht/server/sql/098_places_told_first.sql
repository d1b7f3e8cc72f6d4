-- A place that was told before the status that says what its unit was away for has the class of that incident too, from the
-- moment that the status is told. What a place is about only grows: nobody reads more by what is told late.

create index on slagkracht.event (world, (body->>'unit'), happened_at) where kind = 'unit_position';

create function slagkracht.classify_places() returns trigger language plpgsql security definer
    set search_path = slagkracht, pg_temp as $$
begin
    update slagkracht.event e set about = found.about,
            information_class = slagkracht.class_of_fact(e.world, e.body, found.about)
        from (select place.chain, place.number, array(select distinct unnest(place.about || slagkracht.incidents_of(
                  place.world, place.body->>'unit', place.happened_at)) order by 1) as about
              from slagkracht.event place where place.world = new.world and place.kind = 'unit_position'
                and place.body->>'unit' = new.body->>'unit' and place.happened_at >= new.happened_at) found
        where e.world = new.world and (e.chain, e.number) = (found.chain, found.number) and not e.about @> found.about;
    return null;
end $$;
create trigger classify_places after insert on slagkracht.event
    for each row when (new.kind = 'unit_status' and new.body ? 'incident') execute function slagkracht.classify_places();
