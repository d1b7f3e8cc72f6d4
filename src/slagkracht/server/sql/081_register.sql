-- What everyone may read: of a dossier in a public state, what its procedure makes public, where its owner made it Open.

alter table slagkracht.dossier add column publication jsonb;

-- Nobody is logged in here: of the real world alone, and never above Open. A dossier that is given a higher class is gone
-- from the register at once.
create function slagkracht.public_register() returns table (dossier_id text, procedure text, publication jsonb)
    language sql stable security definer set search_path = slagkracht, pg_temp as $$
    select d.dossier_id, d.procedure, d.publication from slagkracht.dossier d
    where d.world = 'echt' and d.information_class = 'Open' and d.publication is not null
    order by d.publication->'fields'->>'functie', d.dossier_id $$;
revoke all on function slagkracht.public_register() from public;
grant execute on function slagkracht.public_register() to slagkracht_app;
grant update (publication) on slagkracht.dossier to slagkracht_app;
