/**
 * A machine at a physical SAN: its adapter's name is logged in at the host's own fabric, through one of the host's Fibre Channel
 * adapters, as a virtual port (N_Port ID virtualization), and the guest's commands go to the units that this name sees there.
 *
 * <pre>
 *  FibreChannelAdapter ─login─▶ NpivSan ─▶ NpivLogin ─▶ HostAdapter    /sys/class/fc_host/hostN/vport_create, vport_delete
 *        │                                   │  │         PortRecords  whose virtual ports these are, for who comes after a crash
 *        │ CDB, guest pages                  │  └ UnitScan             /sys/class/scsi_device: targets, units, their devices
 *        └──────────────────────────────────▶└ PassedUnit ─ CommandPolicy ─▶ ScsiDevice ─▶ SG_IO
 * </pre>
 *
 * <p>Zones and masks are the fabric's and the array's: they know the guest's name, and the host hides nothing and adds nothing.
 * What the host holds to is that a guest speaks to units which its own name has been shown, in commands that concern a unit's
 * contents, and not the device that others share ({@link io.javisor.storage.npiv.CommandPolicy}).
 *
 * <p>Linux owns the units as well, as disks of the host: nothing there should use them. Guest pages go to the kernel as they are.
 */
@NullMarked
package io.javisor.storage.npiv;

import org.jspecify.annotations.NullMarked;
