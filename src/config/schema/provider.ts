// Provider options, as the configuration writes them: those of exactly one platform.
import Type, { type TOptional } from 'typebox';
import { type Platforms, platforms } from '../../providers/registry.ts';
import { oneOf } from './shared.ts';

type Members = { readonly [Id in keyof Platforms]: TOptional<Platforms[Id]['options']> };

const members = Object.entries(platforms).map(([id, { options }]) => [id, Type.Optional(options)]);

export const ProviderSchema = Type.Object(Object.fromEntries(members) as Members, {
  ...oneOf,
  description: 'Whose rules the material follows: exactly one.',
});
