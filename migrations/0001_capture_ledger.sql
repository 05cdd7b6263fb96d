ALTER TABLE `batches` ADD `objects` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `snapshots` ADD `tape_offset` integer;--> statement-breakpoint
ALTER TABLE `snapshots` ADD `split` text;--> statement-breakpoint
ALTER TABLE `snapshots` ADD `split_schedule` text;--> statement-breakpoint
CREATE INDEX `snapshots_coverage` ON `snapshots` (`market`,`minute`,`covered_ms`,`events`,`trades`);