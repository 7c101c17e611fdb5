import { playExercises, LONG_EXERCISES } from "../support/training.ts";

playExercises(LONG_EXERCISES);
