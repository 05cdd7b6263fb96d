CREATE TABLE `batches` (
	`id` text PRIMARY KEY NOT NULL,
	`feed` text NOT NULL,
	`started_at` integer NOT NULL,
	`first_minute` integer,
	`last_minute` integer,
	`minutes` integer NOT NULL,
	`rows` integer NOT NULL,
	`gaps` integer NOT NULL,
	`tapes` integer NOT NULL,
	`tape_bytes` integer NOT NULL,
	`remaining` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `gaps` (
	`id` text PRIMARY KEY NOT NULL,
	`market` text NOT NULL,
	`channel` text NOT NULL,
	`from_ms` integer NOT NULL,
	`to_ms` integer,
	`reason` text NOT NULL,
	`detail` text NOT NULL,
	`action` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `gaps_from` ON `gaps` (`from_ms`,`id`);--> statement-breakpoint
CREATE TABLE `instruments` (
	`market` text PRIMARY KEY NOT NULL,
	`venue` text NOT NULL,
	`symbol` text NOT NULL,
	`feed` text NOT NULL,
	`tick` text NOT NULL,
	`lot` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `snapshots` (
	`market` text NOT NULL,
	`minute` integer NOT NULL,
	`batch` text NOT NULL,
	`tick` text NOT NULL,
	`lot` text NOT NULL,
	`state` text NOT NULL,
	`book_state` text NOT NULL,
	`bid_ticks` integer,
	`bid_lots` integer,
	`ask_ticks` integer,
	`ask_lots` integer,
	`bids` text,
	`asks` text,
	`last_sequence` integer,
	`book_hash` text,
	`market_time` integer,
	`feature_time` integer,
	`fingerprint` text,
	`features` text,
	`covered_ms` integer NOT NULL,
	`events` integer NOT NULL,
	`trades` integer NOT NULL,
	`tape_key` text,
	`tape_bytes` integer,
	PRIMARY KEY(`market`, `minute`)
);
