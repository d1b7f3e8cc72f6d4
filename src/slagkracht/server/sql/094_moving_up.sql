-- A move-up that was ordered is on its way until it stands: where it goes, and when it should be there. Until then its place
-- is where it came from, and it covers from neither.

alter table slagkracht.unit_place add column moving_up boolean not null default false;
alter table slagkracht.unit_place add column move_up_x_m double precision;
alter table slagkracht.unit_place add column move_up_y_m double precision;
alter table slagkracht.unit_place add column move_up_due timestamptz;
alter table slagkracht.unit_place add constraint who_moves_up_knows_where
    check (not moving_up or (move_up <> '' and move_up_x_m is not null and move_up_y_m is not null));
grant update (moving_up, move_up_x_m, move_up_y_m, move_up_due) on slagkracht.unit_place to slagkracht_app;
