import { ILab } from './lab';

export function addCards(lab: ILab): void {
  void lab;
}
