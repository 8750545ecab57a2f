/*
 * Prints what the C compiler makes of linux/kvm.h and asm/kvm.h: sizes and offsets of structures, numbers of ioctls, values of
 * constants, for the table that Javisor's layouts are held to. Structures and constants that older headers lack are left out.
 *
 * To make the table anew, with the newest headers at hand (make headers_install, or Debian's linux-libc-dev):
 *
 *   gcc -I HEADERS -o abi-golden abi-golden.c
 *   ./abi-golden > ../resources/io/javisor/kvm/abi/abi-golden.txt
 */
#include <linux/kvm.h>
#include <stddef.h>
#include <stdio.h>

#define STRUCT(s) printf("struct %s %zu\n", #s, sizeof(struct s))
#define FIELD(s, f) \
    printf("field %s.%s %zu %zu\n", #s, #f, offsetof(struct s, f), sizeof(((struct s *)0)->f))
/* An array of no declared length at the end of a structure. */
#define FLEXIBLE(s, f) printf("field %s.%s %zu 0\n", #s, #f, offsetof(struct s, f))
#define IOCTL(i) printf("ioctl %s %llu\n", #i, (unsigned long long)(i))
#define CONSTANT(c) printf("constant %s %lld\n", #c, (long long)(c))

int main(void)
{

    STRUCT(kvm_userspace_memory_region);
    FIELD(kvm_userspace_memory_region, slot);
    FIELD(kvm_userspace_memory_region, flags);
    FIELD(kvm_userspace_memory_region, guest_phys_addr);
    FIELD(kvm_userspace_memory_region, memory_size);
    FIELD(kvm_userspace_memory_region, userspace_addr);

#ifdef KVM_SET_USER_MEMORY_REGION2
    STRUCT(kvm_userspace_memory_region2);
    FIELD(kvm_userspace_memory_region2, slot);
    FIELD(kvm_userspace_memory_region2, flags);
    FIELD(kvm_userspace_memory_region2, guest_phys_addr);
    FIELD(kvm_userspace_memory_region2, memory_size);
    FIELD(kvm_userspace_memory_region2, userspace_addr);
    FIELD(kvm_userspace_memory_region2, guest_memfd_offset);
    FIELD(kvm_userspace_memory_region2, guest_memfd);
    FIELD(kvm_userspace_memory_region2, pad1);
    FIELD(kvm_userspace_memory_region2, pad2);
#endif

#ifdef KVM_SET_MEMORY_ATTRIBUTES
    STRUCT(kvm_memory_attributes);
    FIELD(kvm_memory_attributes, address);
    FIELD(kvm_memory_attributes, size);
    FIELD(kvm_memory_attributes, attributes);
    FIELD(kvm_memory_attributes, flags);
#endif

#ifdef KVM_CREATE_GUEST_MEMFD
    STRUCT(kvm_create_guest_memfd);
    FIELD(kvm_create_guest_memfd, size);
    FIELD(kvm_create_guest_memfd, flags);
    FIELD(kvm_create_guest_memfd, reserved);
#endif

    STRUCT(kvm_dirty_log);
    FIELD(kvm_dirty_log, slot);
    FIELD(kvm_dirty_log, padding1);
    FIELD(kvm_dirty_log, dirty_bitmap);
    FIELD(kvm_dirty_log, padding2);

    STRUCT(kvm_clear_dirty_log);
    FIELD(kvm_clear_dirty_log, slot);
    FIELD(kvm_clear_dirty_log, num_pages);
    FIELD(kvm_clear_dirty_log, first_page);
    FIELD(kvm_clear_dirty_log, dirty_bitmap);
    FIELD(kvm_clear_dirty_log, padding2);

    STRUCT(kvm_dirty_gfn);
    FIELD(kvm_dirty_gfn, flags);
    FIELD(kvm_dirty_gfn, slot);
    FIELD(kvm_dirty_gfn, offset);

    STRUCT(kvm_irq_level);
    FIELD(kvm_irq_level, irq);
    FIELD(kvm_irq_level, status);
    FIELD(kvm_irq_level, level);

    STRUCT(kvm_irqchip);
    FIELD(kvm_irqchip, chip_id);
    FIELD(kvm_irqchip, pad);
    FIELD(kvm_irqchip, chip);

    STRUCT(kvm_irq_routing_irqchip);
    FIELD(kvm_irq_routing_irqchip, irqchip);
    FIELD(kvm_irq_routing_irqchip, pin);

    STRUCT(kvm_irq_routing_msi);
    FIELD(kvm_irq_routing_msi, address_lo);
    FIELD(kvm_irq_routing_msi, address_hi);
    FIELD(kvm_irq_routing_msi, data);
    FIELD(kvm_irq_routing_msi, pad);
    FIELD(kvm_irq_routing_msi, devid);

    STRUCT(kvm_irq_routing_hv_sint);
    FIELD(kvm_irq_routing_hv_sint, vcpu);
    FIELD(kvm_irq_routing_hv_sint, sint);

    STRUCT(kvm_irq_routing_entry);
    FIELD(kvm_irq_routing_entry, gsi);
    FIELD(kvm_irq_routing_entry, type);
    FIELD(kvm_irq_routing_entry, flags);
    FIELD(kvm_irq_routing_entry, pad);
    FIELD(kvm_irq_routing_entry, u);
    FIELD(kvm_irq_routing_entry, u.irqchip);
    FIELD(kvm_irq_routing_entry, u.irqchip.irqchip);
    FIELD(kvm_irq_routing_entry, u.irqchip.pin);
    FIELD(kvm_irq_routing_entry, u.msi);
    FIELD(kvm_irq_routing_entry, u.msi.address_lo);
    FIELD(kvm_irq_routing_entry, u.msi.address_hi);
    FIELD(kvm_irq_routing_entry, u.msi.data);
    FIELD(kvm_irq_routing_entry, u.msi.pad);
    FIELD(kvm_irq_routing_entry, u.msi.devid);
    FIELD(kvm_irq_routing_entry, u.hv_sint);
    FIELD(kvm_irq_routing_entry, u.hv_sint.vcpu);
    FIELD(kvm_irq_routing_entry, u.hv_sint.sint);
    FIELD(kvm_irq_routing_entry, u.pad);

    STRUCT(kvm_irq_routing);
    FIELD(kvm_irq_routing, nr);
    FIELD(kvm_irq_routing, flags);
    FLEXIBLE(kvm_irq_routing, entries);

    STRUCT(kvm_msi);
    FIELD(kvm_msi, address_lo);
    FIELD(kvm_msi, address_hi);
    FIELD(kvm_msi, data);
    FIELD(kvm_msi, flags);
    FIELD(kvm_msi, devid);
    FIELD(kvm_msi, pad);

    STRUCT(kvm_irqfd);
    FIELD(kvm_irqfd, fd);
    FIELD(kvm_irqfd, gsi);
    FIELD(kvm_irqfd, flags);
    FIELD(kvm_irqfd, resamplefd);
    FIELD(kvm_irqfd, pad);

    STRUCT(kvm_ioeventfd);
    FIELD(kvm_ioeventfd, datamatch);
    FIELD(kvm_ioeventfd, addr);
    FIELD(kvm_ioeventfd, len);
    FIELD(kvm_ioeventfd, fd);
    FIELD(kvm_ioeventfd, flags);
    FIELD(kvm_ioeventfd, pad);

    STRUCT(kvm_coalesced_mmio_zone);
    FIELD(kvm_coalesced_mmio_zone, addr);
    FIELD(kvm_coalesced_mmio_zone, size);
    FIELD(kvm_coalesced_mmio_zone, pad);
    FIELD(kvm_coalesced_mmio_zone, pio);

    STRUCT(kvm_coalesced_mmio);
    FIELD(kvm_coalesced_mmio, phys_addr);
    FIELD(kvm_coalesced_mmio, len);
    FIELD(kvm_coalesced_mmio, pad);
    FIELD(kvm_coalesced_mmio, pio);
    FIELD(kvm_coalesced_mmio, data);

    STRUCT(kvm_coalesced_mmio_ring);
    FIELD(kvm_coalesced_mmio_ring, first);
    FIELD(kvm_coalesced_mmio_ring, last);
    FLEXIBLE(kvm_coalesced_mmio_ring, coalesced_mmio);

    STRUCT(kvm_hyperv_eventfd);
    FIELD(kvm_hyperv_eventfd, conn_id);
    FIELD(kvm_hyperv_eventfd, fd);
    FIELD(kvm_hyperv_eventfd, flags);
    FIELD(kvm_hyperv_eventfd, padding);

    STRUCT(kvm_pit_config);
    FIELD(kvm_pit_config, flags);
    FIELD(kvm_pit_config, pad);

    STRUCT(kvm_pit_channel_state);
    FIELD(kvm_pit_channel_state, count);
    FIELD(kvm_pit_channel_state, latched_count);
    FIELD(kvm_pit_channel_state, count_latched);
    FIELD(kvm_pit_channel_state, status_latched);
    FIELD(kvm_pit_channel_state, status);
    FIELD(kvm_pit_channel_state, read_state);
    FIELD(kvm_pit_channel_state, write_state);
    FIELD(kvm_pit_channel_state, write_latch);
    FIELD(kvm_pit_channel_state, rw_mode);
    FIELD(kvm_pit_channel_state, mode);
    FIELD(kvm_pit_channel_state, bcd);
    FIELD(kvm_pit_channel_state, gate);
    FIELD(kvm_pit_channel_state, count_load_time);

    STRUCT(kvm_pit_state2);
    FIELD(kvm_pit_state2, channels);
    FIELD(kvm_pit_state2, channels[0].count);
    FIELD(kvm_pit_state2, channels[0].latched_count);
    FIELD(kvm_pit_state2, channels[0].count_latched);
    FIELD(kvm_pit_state2, channels[0].status_latched);
    FIELD(kvm_pit_state2, channels[0].status);
    FIELD(kvm_pit_state2, channels[0].read_state);
    FIELD(kvm_pit_state2, channels[0].write_state);
    FIELD(kvm_pit_state2, channels[0].write_latch);
    FIELD(kvm_pit_state2, channels[0].rw_mode);
    FIELD(kvm_pit_state2, channels[0].mode);
    FIELD(kvm_pit_state2, channels[0].bcd);
    FIELD(kvm_pit_state2, channels[0].gate);
    FIELD(kvm_pit_state2, channels[0].count_load_time);
    FIELD(kvm_pit_state2, flags);
    FIELD(kvm_pit_state2, reserved);

    STRUCT(kvm_enable_cap);
    FIELD(kvm_enable_cap, cap);
    FIELD(kvm_enable_cap, flags);
    FIELD(kvm_enable_cap, args);
    FIELD(kvm_enable_cap, pad);

    STRUCT(kvm_cpuid_entry2);
    FIELD(kvm_cpuid_entry2, function);
    FIELD(kvm_cpuid_entry2, index);
    FIELD(kvm_cpuid_entry2, flags);
    FIELD(kvm_cpuid_entry2, eax);
    FIELD(kvm_cpuid_entry2, ebx);
    FIELD(kvm_cpuid_entry2, ecx);
    FIELD(kvm_cpuid_entry2, edx);
    FIELD(kvm_cpuid_entry2, padding);

    STRUCT(kvm_cpuid2);
    FIELD(kvm_cpuid2, nent);
    FIELD(kvm_cpuid2, padding);
    FLEXIBLE(kvm_cpuid2, entries);

    STRUCT(kvm_msr_list);
    FIELD(kvm_msr_list, nmsrs);
    FLEXIBLE(kvm_msr_list, indices);

    STRUCT(kvm_msr_entry);
    FIELD(kvm_msr_entry, index);
    FIELD(kvm_msr_entry, reserved);
    FIELD(kvm_msr_entry, data);

    STRUCT(kvm_msrs);
    FIELD(kvm_msrs, nmsrs);
    FIELD(kvm_msrs, pad);
    FLEXIBLE(kvm_msrs, entries);

    STRUCT(kvm_msr_filter_range);
    FIELD(kvm_msr_filter_range, flags);
    FIELD(kvm_msr_filter_range, nmsrs);
    FIELD(kvm_msr_filter_range, base);
    FIELD(kvm_msr_filter_range, bitmap);

    STRUCT(kvm_msr_filter);
    FIELD(kvm_msr_filter, flags);
    FIELD(kvm_msr_filter, ranges);
    FIELD(kvm_msr_filter, ranges[0].flags);
    FIELD(kvm_msr_filter, ranges[0].nmsrs);
    FIELD(kvm_msr_filter, ranges[0].base);
    FIELD(kvm_msr_filter, ranges[0].bitmap);

    STRUCT(kvm_clock_data);
    FIELD(kvm_clock_data, clock);
    FIELD(kvm_clock_data, flags);
    FIELD(kvm_clock_data, pad0);
    FIELD(kvm_clock_data, realtime);
    FIELD(kvm_clock_data, host_tsc);
    FIELD(kvm_clock_data, pad);

    STRUCT(kvm_device_attr);
    FIELD(kvm_device_attr, flags);
    FIELD(kvm_device_attr, group);
    FIELD(kvm_device_attr, attr);
    FIELD(kvm_device_attr, addr);

    STRUCT(kvm_stats_header);
    FIELD(kvm_stats_header, flags);
    FIELD(kvm_stats_header, name_size);
    FIELD(kvm_stats_header, num_desc);
    FIELD(kvm_stats_header, id_offset);
    FIELD(kvm_stats_header, desc_offset);
    FIELD(kvm_stats_header, data_offset);

    STRUCT(kvm_stats_desc);
    FIELD(kvm_stats_desc, flags);
    FIELD(kvm_stats_desc, exponent);
    FIELD(kvm_stats_desc, size);
    FIELD(kvm_stats_desc, offset);
    FIELD(kvm_stats_desc, bucket_size);
    FLEXIBLE(kvm_stats_desc, name);

    STRUCT(kvm_regs);
    FIELD(kvm_regs, rax);
    FIELD(kvm_regs, rbx);
    FIELD(kvm_regs, rcx);
    FIELD(kvm_regs, rdx);
    FIELD(kvm_regs, rsi);
    FIELD(kvm_regs, rdi);
    FIELD(kvm_regs, rsp);
    FIELD(kvm_regs, rbp);
    FIELD(kvm_regs, r8);
    FIELD(kvm_regs, r9);
    FIELD(kvm_regs, r10);
    FIELD(kvm_regs, r11);
    FIELD(kvm_regs, r12);
    FIELD(kvm_regs, r13);
    FIELD(kvm_regs, r14);
    FIELD(kvm_regs, r15);
    FIELD(kvm_regs, rip);
    FIELD(kvm_regs, rflags);

    STRUCT(kvm_segment);
    FIELD(kvm_segment, base);
    FIELD(kvm_segment, limit);
    FIELD(kvm_segment, selector);
    FIELD(kvm_segment, type);
    FIELD(kvm_segment, present);
    FIELD(kvm_segment, dpl);
    FIELD(kvm_segment, db);
    FIELD(kvm_segment, s);
    FIELD(kvm_segment, l);
    FIELD(kvm_segment, g);
    FIELD(kvm_segment, avl);
    FIELD(kvm_segment, unusable);
    FIELD(kvm_segment, padding);

    STRUCT(kvm_dtable);
    FIELD(kvm_dtable, base);
    FIELD(kvm_dtable, limit);
    FIELD(kvm_dtable, padding);

    STRUCT(kvm_sregs);
    FIELD(kvm_sregs, cs);
    FIELD(kvm_sregs, cs.base);
    FIELD(kvm_sregs, cs.limit);
    FIELD(kvm_sregs, cs.selector);
    FIELD(kvm_sregs, cs.type);
    FIELD(kvm_sregs, cs.present);
    FIELD(kvm_sregs, cs.dpl);
    FIELD(kvm_sregs, cs.db);
    FIELD(kvm_sregs, cs.s);
    FIELD(kvm_sregs, cs.l);
    FIELD(kvm_sregs, cs.g);
    FIELD(kvm_sregs, cs.avl);
    FIELD(kvm_sregs, cs.unusable);
    FIELD(kvm_sregs, cs.padding);
    FIELD(kvm_sregs, ds);
    FIELD(kvm_sregs, ds.base);
    FIELD(kvm_sregs, ds.limit);
    FIELD(kvm_sregs, ds.selector);
    FIELD(kvm_sregs, ds.type);
    FIELD(kvm_sregs, ds.present);
    FIELD(kvm_sregs, ds.dpl);
    FIELD(kvm_sregs, ds.db);
    FIELD(kvm_sregs, ds.s);
    FIELD(kvm_sregs, ds.l);
    FIELD(kvm_sregs, ds.g);
    FIELD(kvm_sregs, ds.avl);
    FIELD(kvm_sregs, ds.unusable);
    FIELD(kvm_sregs, ds.padding);
    FIELD(kvm_sregs, es);
    FIELD(kvm_sregs, es.base);
    FIELD(kvm_sregs, es.limit);
    FIELD(kvm_sregs, es.selector);
    FIELD(kvm_sregs, es.type);
    FIELD(kvm_sregs, es.present);
    FIELD(kvm_sregs, es.dpl);
    FIELD(kvm_sregs, es.db);
    FIELD(kvm_sregs, es.s);
    FIELD(kvm_sregs, es.l);
    FIELD(kvm_sregs, es.g);
    FIELD(kvm_sregs, es.avl);
    FIELD(kvm_sregs, es.unusable);
    FIELD(kvm_sregs, es.padding);
    FIELD(kvm_sregs, fs);
    FIELD(kvm_sregs, fs.base);
    FIELD(kvm_sregs, fs.limit);
    FIELD(kvm_sregs, fs.selector);
    FIELD(kvm_sregs, fs.type);
    FIELD(kvm_sregs, fs.present);
    FIELD(kvm_sregs, fs.dpl);
    FIELD(kvm_sregs, fs.db);
    FIELD(kvm_sregs, fs.s);
    FIELD(kvm_sregs, fs.l);
    FIELD(kvm_sregs, fs.g);
    FIELD(kvm_sregs, fs.avl);
    FIELD(kvm_sregs, fs.unusable);
    FIELD(kvm_sregs, fs.padding);
    FIELD(kvm_sregs, gs);
    FIELD(kvm_sregs, gs.base);
    FIELD(kvm_sregs, gs.limit);
    FIELD(kvm_sregs, gs.selector);
    FIELD(kvm_sregs, gs.type);
    FIELD(kvm_sregs, gs.present);
    FIELD(kvm_sregs, gs.dpl);
    FIELD(kvm_sregs, gs.db);
    FIELD(kvm_sregs, gs.s);
    FIELD(kvm_sregs, gs.l);
    FIELD(kvm_sregs, gs.g);
    FIELD(kvm_sregs, gs.avl);
    FIELD(kvm_sregs, gs.unusable);
    FIELD(kvm_sregs, gs.padding);
    FIELD(kvm_sregs, ss);
    FIELD(kvm_sregs, ss.base);
    FIELD(kvm_sregs, ss.limit);
    FIELD(kvm_sregs, ss.selector);
    FIELD(kvm_sregs, ss.type);
    FIELD(kvm_sregs, ss.present);
    FIELD(kvm_sregs, ss.dpl);
    FIELD(kvm_sregs, ss.db);
    FIELD(kvm_sregs, ss.s);
    FIELD(kvm_sregs, ss.l);
    FIELD(kvm_sregs, ss.g);
    FIELD(kvm_sregs, ss.avl);
    FIELD(kvm_sregs, ss.unusable);
    FIELD(kvm_sregs, ss.padding);
    FIELD(kvm_sregs, tr);
    FIELD(kvm_sregs, tr.base);
    FIELD(kvm_sregs, tr.limit);
    FIELD(kvm_sregs, tr.selector);
    FIELD(kvm_sregs, tr.type);
    FIELD(kvm_sregs, tr.present);
    FIELD(kvm_sregs, tr.dpl);
    FIELD(kvm_sregs, tr.db);
    FIELD(kvm_sregs, tr.s);
    FIELD(kvm_sregs, tr.l);
    FIELD(kvm_sregs, tr.g);
    FIELD(kvm_sregs, tr.avl);
    FIELD(kvm_sregs, tr.unusable);
    FIELD(kvm_sregs, tr.padding);
    FIELD(kvm_sregs, ldt);
    FIELD(kvm_sregs, ldt.base);
    FIELD(kvm_sregs, ldt.limit);
    FIELD(kvm_sregs, ldt.selector);
    FIELD(kvm_sregs, ldt.type);
    FIELD(kvm_sregs, ldt.present);
    FIELD(kvm_sregs, ldt.dpl);
    FIELD(kvm_sregs, ldt.db);
    FIELD(kvm_sregs, ldt.s);
    FIELD(kvm_sregs, ldt.l);
    FIELD(kvm_sregs, ldt.g);
    FIELD(kvm_sregs, ldt.avl);
    FIELD(kvm_sregs, ldt.unusable);
    FIELD(kvm_sregs, ldt.padding);
    FIELD(kvm_sregs, gdt);
    FIELD(kvm_sregs, gdt.base);
    FIELD(kvm_sregs, gdt.limit);
    FIELD(kvm_sregs, gdt.padding);
    FIELD(kvm_sregs, idt);
    FIELD(kvm_sregs, idt.base);
    FIELD(kvm_sregs, idt.limit);
    FIELD(kvm_sregs, idt.padding);
    FIELD(kvm_sregs, cr0);
    FIELD(kvm_sregs, cr2);
    FIELD(kvm_sregs, cr3);
    FIELD(kvm_sregs, cr4);
    FIELD(kvm_sregs, cr8);
    FIELD(kvm_sregs, efer);
    FIELD(kvm_sregs, apic_base);
    FIELD(kvm_sregs, interrupt_bitmap);

    STRUCT(kvm_sregs2);
    FIELD(kvm_sregs2, cs);
    FIELD(kvm_sregs2, cs.base);
    FIELD(kvm_sregs2, cs.limit);
    FIELD(kvm_sregs2, cs.selector);
    FIELD(kvm_sregs2, cs.type);
    FIELD(kvm_sregs2, cs.present);
    FIELD(kvm_sregs2, cs.dpl);
    FIELD(kvm_sregs2, cs.db);
    FIELD(kvm_sregs2, cs.s);
    FIELD(kvm_sregs2, cs.l);
    FIELD(kvm_sregs2, cs.g);
    FIELD(kvm_sregs2, cs.avl);
    FIELD(kvm_sregs2, cs.unusable);
    FIELD(kvm_sregs2, cs.padding);
    FIELD(kvm_sregs2, ds);
    FIELD(kvm_sregs2, ds.base);
    FIELD(kvm_sregs2, ds.limit);
    FIELD(kvm_sregs2, ds.selector);
    FIELD(kvm_sregs2, ds.type);
    FIELD(kvm_sregs2, ds.present);
    FIELD(kvm_sregs2, ds.dpl);
    FIELD(kvm_sregs2, ds.db);
    FIELD(kvm_sregs2, ds.s);
    FIELD(kvm_sregs2, ds.l);
    FIELD(kvm_sregs2, ds.g);
    FIELD(kvm_sregs2, ds.avl);
    FIELD(kvm_sregs2, ds.unusable);
    FIELD(kvm_sregs2, ds.padding);
    FIELD(kvm_sregs2, es);
    FIELD(kvm_sregs2, es.base);
    FIELD(kvm_sregs2, es.limit);
    FIELD(kvm_sregs2, es.selector);
    FIELD(kvm_sregs2, es.type);
    FIELD(kvm_sregs2, es.present);
    FIELD(kvm_sregs2, es.dpl);
    FIELD(kvm_sregs2, es.db);
    FIELD(kvm_sregs2, es.s);
    FIELD(kvm_sregs2, es.l);
    FIELD(kvm_sregs2, es.g);
    FIELD(kvm_sregs2, es.avl);
    FIELD(kvm_sregs2, es.unusable);
    FIELD(kvm_sregs2, es.padding);
    FIELD(kvm_sregs2, fs);
    FIELD(kvm_sregs2, fs.base);
    FIELD(kvm_sregs2, fs.limit);
    FIELD(kvm_sregs2, fs.selector);
    FIELD(kvm_sregs2, fs.type);
    FIELD(kvm_sregs2, fs.present);
    FIELD(kvm_sregs2, fs.dpl);
    FIELD(kvm_sregs2, fs.db);
    FIELD(kvm_sregs2, fs.s);
    FIELD(kvm_sregs2, fs.l);
    FIELD(kvm_sregs2, fs.g);
    FIELD(kvm_sregs2, fs.avl);
    FIELD(kvm_sregs2, fs.unusable);
    FIELD(kvm_sregs2, fs.padding);
    FIELD(kvm_sregs2, gs);
    FIELD(kvm_sregs2, gs.base);
    FIELD(kvm_sregs2, gs.limit);
    FIELD(kvm_sregs2, gs.selector);
    FIELD(kvm_sregs2, gs.type);
    FIELD(kvm_sregs2, gs.present);
    FIELD(kvm_sregs2, gs.dpl);
    FIELD(kvm_sregs2, gs.db);
    FIELD(kvm_sregs2, gs.s);
    FIELD(kvm_sregs2, gs.l);
    FIELD(kvm_sregs2, gs.g);
    FIELD(kvm_sregs2, gs.avl);
    FIELD(kvm_sregs2, gs.unusable);
    FIELD(kvm_sregs2, gs.padding);
    FIELD(kvm_sregs2, ss);
    FIELD(kvm_sregs2, ss.base);
    FIELD(kvm_sregs2, ss.limit);
    FIELD(kvm_sregs2, ss.selector);
    FIELD(kvm_sregs2, ss.type);
    FIELD(kvm_sregs2, ss.present);
    FIELD(kvm_sregs2, ss.dpl);
    FIELD(kvm_sregs2, ss.db);
    FIELD(kvm_sregs2, ss.s);
    FIELD(kvm_sregs2, ss.l);
    FIELD(kvm_sregs2, ss.g);
    FIELD(kvm_sregs2, ss.avl);
    FIELD(kvm_sregs2, ss.unusable);
    FIELD(kvm_sregs2, ss.padding);
    FIELD(kvm_sregs2, tr);
    FIELD(kvm_sregs2, tr.base);
    FIELD(kvm_sregs2, tr.limit);
    FIELD(kvm_sregs2, tr.selector);
    FIELD(kvm_sregs2, tr.type);
    FIELD(kvm_sregs2, tr.present);
    FIELD(kvm_sregs2, tr.dpl);
    FIELD(kvm_sregs2, tr.db);
    FIELD(kvm_sregs2, tr.s);
    FIELD(kvm_sregs2, tr.l);
    FIELD(kvm_sregs2, tr.g);
    FIELD(kvm_sregs2, tr.avl);
    FIELD(kvm_sregs2, tr.unusable);
    FIELD(kvm_sregs2, tr.padding);
    FIELD(kvm_sregs2, ldt);
    FIELD(kvm_sregs2, ldt.base);
    FIELD(kvm_sregs2, ldt.limit);
    FIELD(kvm_sregs2, ldt.selector);
    FIELD(kvm_sregs2, ldt.type);
    FIELD(kvm_sregs2, ldt.present);
    FIELD(kvm_sregs2, ldt.dpl);
    FIELD(kvm_sregs2, ldt.db);
    FIELD(kvm_sregs2, ldt.s);
    FIELD(kvm_sregs2, ldt.l);
    FIELD(kvm_sregs2, ldt.g);
    FIELD(kvm_sregs2, ldt.avl);
    FIELD(kvm_sregs2, ldt.unusable);
    FIELD(kvm_sregs2, ldt.padding);
    FIELD(kvm_sregs2, gdt);
    FIELD(kvm_sregs2, gdt.base);
    FIELD(kvm_sregs2, gdt.limit);
    FIELD(kvm_sregs2, gdt.padding);
    FIELD(kvm_sregs2, idt);
    FIELD(kvm_sregs2, idt.base);
    FIELD(kvm_sregs2, idt.limit);
    FIELD(kvm_sregs2, idt.padding);
    FIELD(kvm_sregs2, cr0);
    FIELD(kvm_sregs2, cr2);
    FIELD(kvm_sregs2, cr3);
    FIELD(kvm_sregs2, cr4);
    FIELD(kvm_sregs2, cr8);
    FIELD(kvm_sregs2, efer);
    FIELD(kvm_sregs2, apic_base);
    FIELD(kvm_sregs2, flags);
    FIELD(kvm_sregs2, pdptrs);

    STRUCT(kvm_fpu);
    FIELD(kvm_fpu, fpr);
    FIELD(kvm_fpu, fcw);
    FIELD(kvm_fpu, fsw);
    FIELD(kvm_fpu, ftwx);
    FIELD(kvm_fpu, pad1);
    FIELD(kvm_fpu, last_opcode);
    FIELD(kvm_fpu, last_ip);
    FIELD(kvm_fpu, last_dp);
    FIELD(kvm_fpu, xmm);
    FIELD(kvm_fpu, mxcsr);
    FIELD(kvm_fpu, pad2);

    STRUCT(kvm_lapic_state);
    FIELD(kvm_lapic_state, regs);

    STRUCT(kvm_vcpu_events);
    FIELD(kvm_vcpu_events, exception);
    FIELD(kvm_vcpu_events, exception.injected);
    FIELD(kvm_vcpu_events, exception.nr);
    FIELD(kvm_vcpu_events, exception.has_error_code);
    FIELD(kvm_vcpu_events, exception.pending);
    FIELD(kvm_vcpu_events, exception.error_code);
    FIELD(kvm_vcpu_events, interrupt);
    FIELD(kvm_vcpu_events, interrupt.injected);
    FIELD(kvm_vcpu_events, interrupt.nr);
    FIELD(kvm_vcpu_events, interrupt.soft);
    FIELD(kvm_vcpu_events, interrupt.shadow);
    FIELD(kvm_vcpu_events, nmi);
    FIELD(kvm_vcpu_events, nmi.injected);
    FIELD(kvm_vcpu_events, nmi.pending);
    FIELD(kvm_vcpu_events, nmi.masked);
    FIELD(kvm_vcpu_events, nmi.pad);
    FIELD(kvm_vcpu_events, sipi_vector);
    FIELD(kvm_vcpu_events, flags);
    FIELD(kvm_vcpu_events, smi);
    FIELD(kvm_vcpu_events, smi.smm);
    FIELD(kvm_vcpu_events, smi.pending);
    FIELD(kvm_vcpu_events, smi.smm_inside_nmi);
    FIELD(kvm_vcpu_events, smi.latched_init);
    FIELD(kvm_vcpu_events, triple_fault);
    FIELD(kvm_vcpu_events, triple_fault.pending);
    FIELD(kvm_vcpu_events, reserved);
    FIELD(kvm_vcpu_events, exception_has_payload);
    FIELD(kvm_vcpu_events, exception_payload);

    STRUCT(kvm_debugregs);
    FIELD(kvm_debugregs, db);
    FIELD(kvm_debugregs, dr6);
    FIELD(kvm_debugregs, dr7);
    FIELD(kvm_debugregs, flags);
    FIELD(kvm_debugregs, reserved);

    STRUCT(kvm_xsave);
    FIELD(kvm_xsave, region);
    FLEXIBLE(kvm_xsave, extra);

    STRUCT(kvm_xcr);
    FIELD(kvm_xcr, xcr);
    FIELD(kvm_xcr, reserved);
    FIELD(kvm_xcr, value);

    STRUCT(kvm_xcrs);
    FIELD(kvm_xcrs, nr_xcrs);
    FIELD(kvm_xcrs, flags);
    FIELD(kvm_xcrs, xcrs);
    FIELD(kvm_xcrs, xcrs[0].xcr);
    FIELD(kvm_xcrs, xcrs[0].reserved);
    FIELD(kvm_xcrs, xcrs[0].value);
    FIELD(kvm_xcrs, padding);

    STRUCT(kvm_mp_state);
    FIELD(kvm_mp_state, mp_state);

    STRUCT(kvm_translation);
    FIELD(kvm_translation, linear_address);
    FIELD(kvm_translation, physical_address);
    FIELD(kvm_translation, valid);
    FIELD(kvm_translation, writeable);
    FIELD(kvm_translation, usermode);
    FIELD(kvm_translation, pad);

    STRUCT(kvm_interrupt);
    FIELD(kvm_interrupt, irq);

    STRUCT(kvm_signal_mask);
    FIELD(kvm_signal_mask, len);
    FLEXIBLE(kvm_signal_mask, sigset);

    STRUCT(kvm_guest_debug);
    FIELD(kvm_guest_debug, control);
    FIELD(kvm_guest_debug, pad);
    FIELD(kvm_guest_debug, arch);
    FIELD(kvm_guest_debug, arch.debugreg);

    STRUCT(kvm_nested_state);
    FIELD(kvm_nested_state, flags);
    FIELD(kvm_nested_state, format);
    FIELD(kvm_nested_state, size);
    FIELD(kvm_nested_state, hdr);

    STRUCT(kvm_run);
    FIELD(kvm_run, request_interrupt_window);
    FIELD(kvm_run, immediate_exit);
    FIELD(kvm_run, padding1);
    FIELD(kvm_run, exit_reason);
    FIELD(kvm_run, ready_for_interrupt_injection);
    FIELD(kvm_run, if_flag);
    FIELD(kvm_run, flags);
    FIELD(kvm_run, cr8);
    FIELD(kvm_run, apic_base);
    FIELD(kvm_run, hw);
    FIELD(kvm_run, hw.hardware_exit_reason);
    FIELD(kvm_run, fail_entry);
    FIELD(kvm_run, fail_entry.hardware_entry_failure_reason);
    FIELD(kvm_run, fail_entry.cpu);
    FIELD(kvm_run, ex);
    FIELD(kvm_run, ex.exception);
    FIELD(kvm_run, ex.error_code);
    FIELD(kvm_run, io);
    FIELD(kvm_run, io.direction);
    FIELD(kvm_run, io.size);
    FIELD(kvm_run, io.port);
    FIELD(kvm_run, io.count);
    FIELD(kvm_run, io.data_offset);
    FIELD(kvm_run, debug);
    FIELD(kvm_run, debug.arch);
    FIELD(kvm_run, debug.arch.exception);
    FIELD(kvm_run, debug.arch.pad);
    FIELD(kvm_run, debug.arch.pc);
    FIELD(kvm_run, debug.arch.dr6);
    FIELD(kvm_run, debug.arch.dr7);
    FIELD(kvm_run, mmio);
    FIELD(kvm_run, mmio.phys_addr);
    FIELD(kvm_run, mmio.data);
    FIELD(kvm_run, mmio.len);
    FIELD(kvm_run, mmio.is_write);
    FIELD(kvm_run, hypercall);
    FIELD(kvm_run, hypercall.nr);
    FIELD(kvm_run, hypercall.args);
    FIELD(kvm_run, hypercall.ret);
    FIELD(kvm_run, hypercall.longmode);
    FIELD(kvm_run, tpr_access);
    FIELD(kvm_run, tpr_access.rip);
    FIELD(kvm_run, tpr_access.is_write);
    FIELD(kvm_run, tpr_access.pad);
    FIELD(kvm_run, internal);
    FIELD(kvm_run, internal.suberror);
    FIELD(kvm_run, internal.ndata);
    FIELD(kvm_run, internal.data);
    FIELD(kvm_run, emulation_failure);
    FIELD(kvm_run, emulation_failure.suberror);
    FIELD(kvm_run, emulation_failure.ndata);
    FIELD(kvm_run, emulation_failure.flags);
    FIELD(kvm_run, emulation_failure.insn_size);
    FIELD(kvm_run, emulation_failure.insn_bytes);
    FIELD(kvm_run, system_event);
    FIELD(kvm_run, system_event.type);
    FIELD(kvm_run, system_event.ndata);
    FIELD(kvm_run, system_event.data);
    FIELD(kvm_run, eoi);
    FIELD(kvm_run, eoi.vector);
    FIELD(kvm_run, hyperv);
    FIELD(kvm_run, hyperv.type);
    FIELD(kvm_run, hyperv.pad1);
    FIELD(kvm_run, hyperv.u);
    FIELD(kvm_run, hyperv.u.synic);
    FIELD(kvm_run, hyperv.u.synic.msr);
    FIELD(kvm_run, hyperv.u.synic.pad2);
    FIELD(kvm_run, hyperv.u.synic.control);
    FIELD(kvm_run, hyperv.u.synic.evt_page);
    FIELD(kvm_run, hyperv.u.synic.msg_page);
    FIELD(kvm_run, hyperv.u.hcall);
    FIELD(kvm_run, hyperv.u.hcall.input);
    FIELD(kvm_run, hyperv.u.hcall.result);
    FIELD(kvm_run, hyperv.u.hcall.params);
    FIELD(kvm_run, hyperv.u.syndbg);
    FIELD(kvm_run, hyperv.u.syndbg.msr);
    FIELD(kvm_run, hyperv.u.syndbg.pad2);
    FIELD(kvm_run, hyperv.u.syndbg.control);
    FIELD(kvm_run, hyperv.u.syndbg.status);
    FIELD(kvm_run, hyperv.u.syndbg.send_page);
    FIELD(kvm_run, hyperv.u.syndbg.recv_page);
    FIELD(kvm_run, hyperv.u.syndbg.pending_page);
    FIELD(kvm_run, msr);
    FIELD(kvm_run, msr.error);
    FIELD(kvm_run, msr.pad);
    FIELD(kvm_run, msr.reason);
    FIELD(kvm_run, msr.index);
    FIELD(kvm_run, msr.data);
    FIELD(kvm_run, notify);
    FIELD(kvm_run, notify.flags);
#ifdef KVM_EXIT_MEMORY_FAULT
    FIELD(kvm_run, memory_fault);
    FIELD(kvm_run, memory_fault.flags);
    FIELD(kvm_run, memory_fault.gpa);
    FIELD(kvm_run, memory_fault.size);
#endif
    FIELD(kvm_run, padding);
    FIELD(kvm_run, kvm_valid_regs);
    FIELD(kvm_run, kvm_dirty_regs);
    FIELD(kvm_run, s);
    FIELD(kvm_run, s.padding);

    IOCTL(KVM_GET_API_VERSION);
    IOCTL(KVM_CREATE_VM);
    IOCTL(KVM_GET_MSR_INDEX_LIST);
    IOCTL(KVM_CHECK_EXTENSION);
    IOCTL(KVM_GET_VCPU_MMAP_SIZE);
    IOCTL(KVM_GET_SUPPORTED_CPUID);
    IOCTL(KVM_GET_EMULATED_CPUID);
    IOCTL(KVM_GET_MSR_FEATURE_INDEX_LIST);
    IOCTL(KVM_GET_SUPPORTED_HV_CPUID);
    IOCTL(KVM_CREATE_VCPU);
    IOCTL(KVM_GET_DIRTY_LOG);
    IOCTL(KVM_SET_USER_MEMORY_REGION);
    IOCTL(KVM_SET_TSS_ADDR);
    IOCTL(KVM_SET_IDENTITY_MAP_ADDR);
#ifdef KVM_SET_USER_MEMORY_REGION2
    IOCTL(KVM_SET_USER_MEMORY_REGION2);
#endif
    IOCTL(KVM_CREATE_IRQCHIP);
    IOCTL(KVM_IRQ_LINE);
    IOCTL(KVM_GET_IRQCHIP);
    IOCTL(KVM_SET_IRQCHIP);
    IOCTL(KVM_IRQ_LINE_STATUS);
    IOCTL(KVM_REGISTER_COALESCED_MMIO);
    IOCTL(KVM_UNREGISTER_COALESCED_MMIO);
    IOCTL(KVM_SET_GSI_ROUTING);
    IOCTL(KVM_IRQFD);
    IOCTL(KVM_CREATE_PIT2);
    IOCTL(KVM_SET_BOOT_CPU_ID);
    IOCTL(KVM_IOEVENTFD);
    IOCTL(KVM_SET_CLOCK);
    IOCTL(KVM_GET_CLOCK);
    IOCTL(KVM_GET_PIT2);
    IOCTL(KVM_SET_PIT2);
    IOCTL(KVM_SIGNAL_MSI);
    IOCTL(KVM_HYPERV_EVENTFD);
    IOCTL(KVM_CLEAR_DIRTY_LOG);
    IOCTL(KVM_X86_SET_MSR_FILTER);
    IOCTL(KVM_RESET_DIRTY_RINGS);
#ifdef KVM_SET_MEMORY_ATTRIBUTES
    IOCTL(KVM_SET_MEMORY_ATTRIBUTES);
#endif
#ifdef KVM_CREATE_GUEST_MEMFD
    IOCTL(KVM_CREATE_GUEST_MEMFD);
#endif
    IOCTL(KVM_RUN);
    IOCTL(KVM_GET_REGS);
    IOCTL(KVM_SET_REGS);
    IOCTL(KVM_GET_SREGS);
    IOCTL(KVM_SET_SREGS);
    IOCTL(KVM_TRANSLATE);
    IOCTL(KVM_INTERRUPT);
    IOCTL(KVM_GET_MSRS);
    IOCTL(KVM_SET_MSRS);
    IOCTL(KVM_SET_SIGNAL_MASK);
    IOCTL(KVM_GET_FPU);
    IOCTL(KVM_SET_FPU);
    IOCTL(KVM_GET_LAPIC);
    IOCTL(KVM_SET_LAPIC);
    IOCTL(KVM_SET_CPUID2);
    IOCTL(KVM_GET_CPUID2);
    IOCTL(KVM_GET_MP_STATE);
    IOCTL(KVM_SET_MP_STATE);
    IOCTL(KVM_NMI);
    IOCTL(KVM_SET_GUEST_DEBUG);
    IOCTL(KVM_GET_VCPU_EVENTS);
    IOCTL(KVM_SET_VCPU_EVENTS);
    IOCTL(KVM_GET_DEBUGREGS);
    IOCTL(KVM_SET_DEBUGREGS);
    IOCTL(KVM_SET_TSC_KHZ);
    IOCTL(KVM_GET_TSC_KHZ);
    IOCTL(KVM_ENABLE_CAP);
    IOCTL(KVM_GET_XSAVE);
    IOCTL(KVM_SET_XSAVE);
    IOCTL(KVM_GET_XCRS);
    IOCTL(KVM_SET_XCRS);
    IOCTL(KVM_KVMCLOCK_CTRL);
    IOCTL(KVM_SMI);
    IOCTL(KVM_GET_NESTED_STATE);
    IOCTL(KVM_SET_NESTED_STATE);
    IOCTL(KVM_GET_SREGS2);
    IOCTL(KVM_SET_SREGS2);
    IOCTL(KVM_GET_STATS_FD);
    IOCTL(KVM_GET_XSAVE2);
    IOCTL(KVM_SET_DEVICE_ATTR);
    IOCTL(KVM_GET_DEVICE_ATTR);
    IOCTL(KVM_HAS_DEVICE_ATTR);

    CONSTANT(KVM_EXIT_IO);
    CONSTANT(KVM_EXIT_HYPERCALL);
    CONSTANT(KVM_EXIT_DEBUG);
    CONSTANT(KVM_EXIT_HLT);
    CONSTANT(KVM_EXIT_MMIO);
    CONSTANT(KVM_EXIT_IRQ_WINDOW_OPEN);
    CONSTANT(KVM_EXIT_SHUTDOWN);
    CONSTANT(KVM_EXIT_FAIL_ENTRY);
    CONSTANT(KVM_EXIT_INTR);
    CONSTANT(KVM_EXIT_SET_TPR);
    CONSTANT(KVM_EXIT_TPR_ACCESS);
    CONSTANT(KVM_EXIT_INTERNAL_ERROR);
    CONSTANT(KVM_EXIT_SYSTEM_EVENT);
    CONSTANT(KVM_EXIT_IOAPIC_EOI);
    CONSTANT(KVM_EXIT_HYPERV);
    CONSTANT(KVM_EXIT_X86_RDMSR);
    CONSTANT(KVM_EXIT_X86_WRMSR);
    CONSTANT(KVM_EXIT_DIRTY_RING_FULL);
    CONSTANT(KVM_EXIT_X86_BUS_LOCK);
    CONSTANT(KVM_EXIT_NOTIFY);
#ifdef KVM_EXIT_MEMORY_FAULT
    CONSTANT(KVM_EXIT_MEMORY_FAULT);
#endif
    CONSTANT(KVM_EXIT_IO_IN);
    CONSTANT(KVM_EXIT_IO_OUT);
    CONSTANT(KVM_EXIT_HYPERV_SYNIC);
    CONSTANT(KVM_EXIT_HYPERV_HCALL);
    CONSTANT(KVM_EXIT_HYPERV_SYNDBG);
    CONSTANT(KVM_INTERNAL_ERROR_EMULATION);
    CONSTANT(KVM_INTERNAL_ERROR_SIMUL_EX);
    CONSTANT(KVM_INTERNAL_ERROR_DELIVERY_EV);
    CONSTANT(KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON);
    CONSTANT(KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES);
    CONSTANT(KVM_SYSTEM_EVENT_SHUTDOWN);
    CONSTANT(KVM_SYSTEM_EVENT_RESET);
    CONSTANT(KVM_SYSTEM_EVENT_CRASH);
    CONSTANT(KVM_SYSTEM_EVENT_WAKEUP);
    CONSTANT(KVM_SYSTEM_EVENT_SUSPEND);
    CONSTANT(KVM_MSR_EXIT_REASON_INVAL);
    CONSTANT(KVM_MSR_EXIT_REASON_UNKNOWN);
    CONSTANT(KVM_MSR_EXIT_REASON_FILTER);
    CONSTANT(KVM_NOTIFY_CONTEXT_INVALID);
    CONSTANT(KVM_PIO_PAGE_OFFSET);
    CONSTANT(KVM_COALESCED_MMIO_PAGE_OFFSET);
    CONSTANT(KVM_DIRTY_LOG_PAGE_OFFSET);
    CONSTANT(KVM_MEM_LOG_DIRTY_PAGES);
    CONSTANT(KVM_MEM_READONLY);
#ifdef KVM_MEM_GUEST_MEMFD
    CONSTANT(KVM_MEM_GUEST_MEMFD);
#endif
    CONSTANT(KVM_DIRTY_GFN_F_DIRTY);
    CONSTANT(KVM_DIRTY_GFN_F_RESET);
    CONSTANT(KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE);
    CONSTANT(KVM_DIRTY_LOG_INITIALLY_SET);
#ifdef KVM_MEMORY_ATTRIBUTE_PRIVATE
    CONSTANT(KVM_MEMORY_ATTRIBUTE_PRIVATE);
#endif
#ifdef KVM_MEMORY_EXIT_FLAG_PRIVATE
    CONSTANT(KVM_MEMORY_EXIT_FLAG_PRIVATE);
#endif
    CONSTANT(KVM_IRQCHIP_PIC_MASTER);
    CONSTANT(KVM_IRQCHIP_PIC_SLAVE);
    CONSTANT(KVM_IRQCHIP_IOAPIC);
    CONSTANT(KVM_IOAPIC_NUM_PINS);
    CONSTANT(KVM_IRQ_ROUTING_IRQCHIP);
    CONSTANT(KVM_IRQ_ROUTING_MSI);
    CONSTANT(KVM_IRQ_ROUTING_HV_SINT);
    CONSTANT(KVM_IRQFD_FLAG_DEASSIGN);
    CONSTANT(KVM_IRQFD_FLAG_RESAMPLE);
    CONSTANT(KVM_IOEVENTFD_FLAG_DATAMATCH);
    CONSTANT(KVM_IOEVENTFD_FLAG_PIO);
    CONSTANT(KVM_IOEVENTFD_FLAG_DEASSIGN);
    CONSTANT(KVM_HYPERV_CONN_ID_MASK);
    CONSTANT(KVM_HYPERV_EVENTFD_DEASSIGN);
    CONSTANT(KVM_X2APIC_API_USE_32BIT_IDS);
    CONSTANT(KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK);
    CONSTANT(KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
    CONSTANT(KVM_MSR_FILTER_READ);
    CONSTANT(KVM_MSR_FILTER_WRITE);
    CONSTANT(KVM_MSR_FILTER_DEFAULT_DENY);
    CONSTANT(KVM_MSR_FILTER_MAX_RANGES);
    CONSTANT(KVM_MSR_FILTER_MAX_BITMAP_SIZE);
    CONSTANT(KVM_CLOCK_TSC_STABLE);
    CONSTANT(KVM_CLOCK_REALTIME);
    CONSTANT(KVM_CLOCK_HOST_TSC);
    CONSTANT(KVM_VCPU_TSC_CTRL);
    CONSTANT(KVM_VCPU_TSC_OFFSET);
    CONSTANT(KVM_GUESTDBG_ENABLE);
    CONSTANT(KVM_GUESTDBG_SINGLESTEP);
    CONSTANT(KVM_GUESTDBG_USE_SW_BP);
    CONSTANT(KVM_GUESTDBG_USE_HW_BP);
    CONSTANT(KVM_GUESTDBG_INJECT_DB);
    CONSTANT(KVM_GUESTDBG_INJECT_BP);
    CONSTANT(KVM_GUESTDBG_BLOCKIRQ);
    CONSTANT(KVM_MP_STATE_RUNNABLE);
    CONSTANT(KVM_MP_STATE_UNINITIALIZED);
    CONSTANT(KVM_MP_STATE_INIT_RECEIVED);
    CONSTANT(KVM_MP_STATE_HALTED);
    CONSTANT(KVM_MP_STATE_SIPI_RECEIVED);
    CONSTANT(KVM_BUS_LOCK_DETECTION_EXIT);
    CONSTANT(KVM_X86_NOTIFY_VMEXIT_ENABLED);
    CONSTANT(KVM_X86_NOTIFY_VMEXIT_USER);
    CONSTANT(KVM_API_VERSION);
    CONSTANT(KVM_CAP_IRQCHIP);
    CONSTANT(KVM_CAP_HLT);
    CONSTANT(KVM_CAP_MMU_SHADOW_CACHE_CONTROL);
    CONSTANT(KVM_CAP_USER_MEMORY);
    CONSTANT(KVM_CAP_SET_TSS_ADDR);
    CONSTANT(KVM_CAP_VAPIC);
    CONSTANT(KVM_CAP_EXT_CPUID);
    CONSTANT(KVM_CAP_CLOCKSOURCE);
    CONSTANT(KVM_CAP_NR_VCPUS);
    CONSTANT(KVM_CAP_NR_MEMSLOTS);
    CONSTANT(KVM_CAP_PIT);
    CONSTANT(KVM_CAP_NOP_IO_DELAY);
    CONSTANT(KVM_CAP_PV_MMU);
    CONSTANT(KVM_CAP_MP_STATE);
    CONSTANT(KVM_CAP_COALESCED_MMIO);
    CONSTANT(KVM_CAP_SYNC_MMU);
    CONSTANT(KVM_CAP_DESTROY_MEMORY_REGION_WORKS);
    CONSTANT(KVM_CAP_USER_NMI);
    CONSTANT(KVM_CAP_SET_GUEST_DEBUG);
    CONSTANT(KVM_CAP_REINJECT_CONTROL);
    CONSTANT(KVM_CAP_IRQ_ROUTING);
    CONSTANT(KVM_CAP_IRQ_INJECT_STATUS);
    CONSTANT(KVM_CAP_JOIN_MEMORY_REGIONS_WORKS);
    CONSTANT(KVM_CAP_MCE);
    CONSTANT(KVM_CAP_IRQFD);
    CONSTANT(KVM_CAP_PIT2);
    CONSTANT(KVM_CAP_SET_BOOT_CPU_ID);
    CONSTANT(KVM_CAP_PIT_STATE2);
    CONSTANT(KVM_CAP_IOEVENTFD);
    CONSTANT(KVM_CAP_SET_IDENTITY_MAP_ADDR);
    CONSTANT(KVM_CAP_ADJUST_CLOCK);
    CONSTANT(KVM_CAP_INTERNAL_ERROR_DATA);
    CONSTANT(KVM_CAP_VCPU_EVENTS);
    CONSTANT(KVM_CAP_HYPERV);
    CONSTANT(KVM_CAP_HYPERV_VAPIC);
    CONSTANT(KVM_CAP_HYPERV_SPIN);
    CONSTANT(KVM_CAP_PCI_SEGMENT);
    CONSTANT(KVM_CAP_INTR_SHADOW);
    CONSTANT(KVM_CAP_DEBUGREGS);
    CONSTANT(KVM_CAP_X86_ROBUST_SINGLESTEP);
    CONSTANT(KVM_CAP_ENABLE_CAP);
    CONSTANT(KVM_CAP_XSAVE);
    CONSTANT(KVM_CAP_XCRS);
    CONSTANT(KVM_CAP_ASYNC_PF);
    CONSTANT(KVM_CAP_TSC_CONTROL);
    CONSTANT(KVM_CAP_GET_TSC_KHZ);
    CONSTANT(KVM_CAP_MAX_VCPUS);
    CONSTANT(KVM_CAP_TSC_DEADLINE_TIMER);
    CONSTANT(KVM_CAP_SYNC_REGS);
    CONSTANT(KVM_CAP_KVMCLOCK_CTRL);
    CONSTANT(KVM_CAP_SIGNAL_MSI);
    CONSTANT(KVM_CAP_READONLY_MEM);
    CONSTANT(KVM_CAP_IRQFD_RESAMPLE);
    CONSTANT(KVM_CAP_DEVICE_CTRL);
    CONSTANT(KVM_CAP_EXT_EMUL_CPUID);
    CONSTANT(KVM_CAP_HYPERV_TIME);
    CONSTANT(KVM_CAP_IOAPIC_POLARITY_IGNORED);
    CONSTANT(KVM_CAP_ENABLE_CAP_VM);
    CONSTANT(KVM_CAP_IOEVENTFD_NO_LENGTH);
    CONSTANT(KVM_CAP_VM_ATTRIBUTES);
    CONSTANT(KVM_CAP_CHECK_EXTENSION_VM);
    CONSTANT(KVM_CAP_DISABLE_QUIRKS);
    CONSTANT(KVM_CAP_X86_SMM);
    CONSTANT(KVM_CAP_MULTI_ADDRESS_SPACE);
    CONSTANT(KVM_CAP_GUEST_DEBUG_HW_BPS);
    CONSTANT(KVM_CAP_GUEST_DEBUG_HW_WPS);
    CONSTANT(KVM_CAP_SPLIT_IRQCHIP);
    CONSTANT(KVM_CAP_IOEVENTFD_ANY_LENGTH);
    CONSTANT(KVM_CAP_HYPERV_SYNIC);
    CONSTANT(KVM_CAP_VCPU_ATTRIBUTES);
    CONSTANT(KVM_CAP_MAX_VCPU_ID);
    CONSTANT(KVM_CAP_X2APIC_API);
    CONSTANT(KVM_CAP_IMMEDIATE_EXIT);
    CONSTANT(KVM_CAP_X86_DISABLE_EXITS);
    CONSTANT(KVM_CAP_HYPERV_SYNIC2);
    CONSTANT(KVM_CAP_HYPERV_VP_INDEX);
    CONSTANT(KVM_CAP_GET_MSR_FEATURES);
    CONSTANT(KVM_CAP_HYPERV_EVENTFD);
    CONSTANT(KVM_CAP_HYPERV_TLBFLUSH);
    CONSTANT(KVM_CAP_NESTED_STATE);
    CONSTANT(KVM_CAP_MSR_PLATFORM_INFO);
    CONSTANT(KVM_CAP_HYPERV_SEND_IPI);
    CONSTANT(KVM_CAP_COALESCED_PIO);
    CONSTANT(KVM_CAP_HYPERV_ENLIGHTENED_VMCS);
    CONSTANT(KVM_CAP_EXCEPTION_PAYLOAD);
    CONSTANT(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT);
    CONSTANT(KVM_CAP_HYPERV_CPUID);
    CONSTANT(KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2);
    CONSTANT(KVM_CAP_PMU_EVENT_FILTER);
    CONSTANT(KVM_CAP_HYPERV_DIRECT_TLBFLUSH);
    CONSTANT(KVM_CAP_HALT_POLL);
    CONSTANT(KVM_CAP_ASYNC_PF_INT);
    CONSTANT(KVM_CAP_LAST_CPU);
    CONSTANT(KVM_CAP_SMALLER_MAXPHYADDR);
    CONSTANT(KVM_CAP_STEAL_TIME);
    CONSTANT(KVM_CAP_X86_USER_SPACE_MSR);
    CONSTANT(KVM_CAP_X86_MSR_FILTER);
    CONSTANT(KVM_CAP_ENFORCE_PV_FEATURE_CPUID);
    CONSTANT(KVM_CAP_SYS_HYPERV_CPUID);
    CONSTANT(KVM_CAP_DIRTY_LOG_RING);
    CONSTANT(KVM_CAP_X86_BUS_LOCK_EXIT);
    CONSTANT(KVM_CAP_SET_GUEST_DEBUG2);
    CONSTANT(KVM_CAP_VM_COPY_ENC_CONTEXT_FROM);
    CONSTANT(KVM_CAP_HYPERV_ENFORCE_CPUID);
    CONSTANT(KVM_CAP_SREGS2);
    CONSTANT(KVM_CAP_EXIT_HYPERCALL);
    CONSTANT(KVM_CAP_BINARY_STATS_FD);
    CONSTANT(KVM_CAP_EXIT_ON_EMULATION_FAILURE);
    CONSTANT(KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM);
    CONSTANT(KVM_CAP_VM_GPA_BITS);
    CONSTANT(KVM_CAP_XSAVE2);
    CONSTANT(KVM_CAP_SYS_ATTRIBUTES);
    CONSTANT(KVM_CAP_PMU_CAPABILITY);
    CONSTANT(KVM_CAP_DISABLE_QUIRKS2);
    CONSTANT(KVM_CAP_VM_TSC_CONTROL);
    CONSTANT(KVM_CAP_SYSTEM_EVENT_DATA);
    CONSTANT(KVM_CAP_X86_TRIPLE_FAULT_EVENT);
    CONSTANT(KVM_CAP_X86_NOTIFY_VMEXIT);
    CONSTANT(KVM_CAP_VM_DISABLE_NX_HUGE_PAGES);
    CONSTANT(KVM_CAP_DIRTY_LOG_RING_ACQ_REL);
#ifdef KVM_CAP_USER_MEMORY2
    CONSTANT(KVM_CAP_USER_MEMORY2);
#endif
#ifdef KVM_CAP_MEMORY_FAULT_INFO
    CONSTANT(KVM_CAP_MEMORY_FAULT_INFO);
#endif
#ifdef KVM_CAP_MEMORY_ATTRIBUTES
    CONSTANT(KVM_CAP_MEMORY_ATTRIBUTES);
#endif
#ifdef KVM_CAP_GUEST_MEMFD
    CONSTANT(KVM_CAP_GUEST_MEMFD);
#endif
#ifdef KVM_CAP_VM_TYPES
    CONSTANT(KVM_CAP_VM_TYPES);
#endif
#ifdef KVM_CAP_PRE_FAULT_MEMORY
    CONSTANT(KVM_CAP_PRE_FAULT_MEMORY);
#endif
#ifdef KVM_CAP_X86_APIC_BUS_CYCLES_NS
    CONSTANT(KVM_CAP_X86_APIC_BUS_CYCLES_NS);
#endif
    return 0;
}
