package io.javisor.api.exec;

import org.jspecify.annotations.Nullable;

/**
 * What the guest's shell prints for the host, on a line of its own:
 *
 * <pre>
 * LF "JV" nonce SP sequence SP kind { SP number } LF
 *
 * h  hello: the shell is a loop now          r  ready: the functions are there, and a folder
 * w  waits for raw bytes                     a  bytes stored
 * f  failed: no room
 * s  program started                         u  refused: this sequence number has been run
 * d  program done: exit code, bytes of stdout, bytes of stderr, how many of each follow at once
 * c  a block of output follows               .  end of what followed
 * b  alive
 * </pre>
 *
 * @param sequence of the call that it answers
 * @param kind as above
 * @param numbers what comes with it, none negative
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record Frame(long sequence, char kind, long[] numbers) {

    /** The frame on a line, or null if it is none: noise, or of another nonce. */
    static @Nullable Frame parse(String line, String nonce) {
        String prefix = "JV" + nonce + " ";
        if (!line.startsWith(prefix)) {
            return null;
        }
        String[] words = line.substring(prefix.length()).split(" ", 8);
        if (words.length < 2 || words.length > 7 || words[1].length() != 1) {
            return null;
        }
        try {
            long[] numbers = new long[words.length - 2];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = number(words[i + 2]);
            }
            return new Frame(number(words[0]), words[1].charAt(0), numbers);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static long number(String word) {
        long value = Long.parseLong(word);
        if (value < 0) {
            throw new NumberFormatException(word);
        }
        return value;
    }
}
