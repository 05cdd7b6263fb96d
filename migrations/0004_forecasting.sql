CREATE TABLE `forecast_scores` (
	`market` text NOT NULL,
	`model` integer NOT NULL,
	`hour` integer NOT NULL,
	`scored_up_to` integer NOT NULL,
	`sums` text NOT NULL,
	PRIMARY KEY(`market`, `model`, `hour`)
);
--> statement-breakpoint
CREATE TABLE `forecasts` (
	`market` text NOT NULL,
	`model` integer NOT NULL,
	`feature_time` integer NOT NULL,
	`bid_ticks` integer NOT NULL,
	`ask_ticks` integer NOT NULL,
	`answer` blob NOT NULL,
	`recorded_at` integer NOT NULL,
	PRIMARY KEY(`market`, `model`, `feature_time`)
);
--> statement-breakpoint
CREATE TABLE `model_log` (
	`sequence` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`action` text NOT NULL,
	`slot` text,
	`market` text,
	`model` integer NOT NULL,
	`previous` integer,
	`evidence` text
);
--> statement-breakpoint
CREATE TABLE `model_roles` (
	`slot` text NOT NULL,
	`market` text NOT NULL,
	`model` integer NOT NULL,
	`role` text NOT NULL,
	`since` integer NOT NULL,
	PRIMARY KEY(`slot`, `market`, `model`)
);
--> statement-breakpoint
CREATE TABLE `models` (
	`key` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`version` text NOT NULL,
	`manifest_sha256` text NOT NULL,
	`family` text NOT NULL,
	`feature_set` text NOT NULL,
	`fingerprint` text NOT NULL,
	`label` text NOT NULL,
	`bytes` integer NOT NULL,
	`published_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `models_version` ON `models` (`id`,`version`);--> statement-breakpoint
ALTER TABLE `snapshots` ADD `price_path` text;