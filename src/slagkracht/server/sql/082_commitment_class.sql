-- A commitment has the class of the incident that it is for, as its request and its offer have: who may not look that high
-- sees neither for whom a unit is away, nor where to, nor how far it is.

create policy up_to_class on slagkracht.commitment as restrictive to slagkracht_app
    using ((select slagkracht.clearance()) = 4
        or slagkracht.rank_of_line(line_id) <= (select slagkracht.clearance()));

-- That a unit is not free is no secret for whoever may know of it but for the class: nobody counts on what is away. The
-- parties are those who hear where it is.
create function slagkracht.held_units() returns table (unit_id text, parties text[]) language sql stable
    security definer set search_path = slagkracht, pg_temp as $$
    select c.unit_id, array[c.region, c.receiver] || c.audience from slagkracht.commitment c
    where c.world = slagkracht.world() and c.step <> 'unit_home'
      and (slagkracht.own() in (c.region, c.receiver) or slagkracht.own() = any (c.audience)) $$;
revoke all on function slagkracht.held_units() from public;
grant execute on function slagkracht.held_units() to slagkracht_app;
