/**
 * VHDX, the virtual hard disk format of Hyper-V (specification MS-VHDX).
 *
 * <pre>
 *   0        64 KiB    128 KiB   192 KiB  256 KiB   1 MiB
 *   identifier│header 1 │header 2 │regions 1│regions 2│ log │ metadata │ BAT │ blocks …
 * </pre>
 *
 * <p>The disk is cut into blocks; the BAT says where each lies in the file, or that it is zero, or (of a differencing disk)
 * that the parent has it, or that a sector bitmap tells, sector by sector, who has it.
 *
 * <p><b>What makes it survive a crash.</b> Data goes straight to its block. Changes of the BAT and the bitmaps stay in memory
 * ({@link io.javisor.storage.vhdx.MetadataPages}) until a flush commits them as one:
 *
 * <pre>
 *   flush the file          data is there, and so is the commit before this one
 *   append one log entry    all changed 4 KiB pages, with a checksum; the entry before it stays whole
 *   flush the file          from here the changes hold, whatever happens
 *   write the pages home    a crash in here is repaired by the log
 * </pre>
 *
 * So one entry is all that ever has to be replayed. A block that was given back is used again only after the commit that
 * gave it back, and has been zeroed by then.
 *
 * <p>{@link io.javisor.storage.vhdx.VhdxDisk} is where data enters and leaves; {@link io.javisor.storage.vhdx.VhdxStore}
 * owns the file, the lock and the commit.
 */
@NullMarked
package io.javisor.storage.vhdx;

import org.jspecify.annotations.NullMarked;
