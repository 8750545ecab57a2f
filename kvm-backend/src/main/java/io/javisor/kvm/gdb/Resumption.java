package io.javisor.kvm.gdb;

import java.util.BitSet;

/**
 * Who goes on and how, as one of gdb's requests says it: vCPUs that step, vCPUs that run, the others stay where they are.
 *
 * @param run bit n for the vCPU n, those that step among them
 * @param step those that stop after an instruction
 */
record Resumption(BitSet run, BitSet step) {
    /** A request that names no thread: the chosen vCPU steps alone, or all go on. */
    static Resumption of(boolean stepping, int vcpu, int count) {
        var run = new BitSet();
        var step = new BitSet();
        if (stepping) {
            run.set(vcpu);
            step.set(vcpu);
        } else {
            run.set(0, count);
        }
        return new Resumption(run, step);
    }

    /**
     * Of a request vCont: actions, each for a thread or for all that no action before it names (gdb's manual, vCont packet).
     *
     * @param actions {@code c;s:2;...}
     * @param count vCPUs
     */
    static Resumption parse(String actions, int count) {
        var run = new BitSet();
        var step = new BitSet();
        var named = new BitSet();
        for (String action : actions.split(";", -1)) {
            int colon = action.indexOf(':');
            String what = colon < 0 ? action : action.substring(0, colon);
            String thread = colon < 0 ? "-1" : action.substring(colon + 1);
            if (what.isEmpty() || "cCsS".indexOf(what.charAt(0)) < 0) {
                throw new GdbError(GdbError.INVALID);
            }
            boolean stepping = Character.toLowerCase(what.charAt(0)) == 's';
            for (int i = 0; i < count; i++) {
                boolean meant = thread.equals("-1") || Hex.number(thread, Integer.MAX_VALUE) == i + 1;
                if (meant && !named.get(i)) {
                    named.set(i);
                    run.set(i);
                    step.set(i, stepping);
                }
            }
        }
        if (run.isEmpty()) {
            throw new GdbError(GdbError.NO_THREAD);
        }
        return new Resumption(run, step);
    }
}
